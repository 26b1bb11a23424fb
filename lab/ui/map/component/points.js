// Points on a canvas by WebGL 2: two 16-bit places, one palette byte and one flag a point.
//
// Points come in a random order, so that no source covers another and the first few hundred
// thousand are a fair picture of all: as many as the graphics card draws in time are drawn while the
// view moves, all once it rests.
// What is not selected is drawn first, in grey. A lost context is built again from the same arrays.

const VERTEX = `#version 300 es
in vec2 place; in uint code; in uint chosen;
uniform vec4 view; uniform float size; uniform int layer; uniform vec4 grey; uniform float alpha;
uniform sampler2D palette;
out vec4 colour;
void main() {
  bool context = code == 0u || chosen == 0u;
  if ((layer == 1 && !context) || (layer == 2 && context)) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0); // outside: not drawn
    return;
  }
  gl_Position = vec4((place * 2.0 - 1.0) * view.xy + view.zw, 0.0, 1.0);
  gl_PointSize = context ? max(1.0, size * 0.8) : size;
  colour = context ? grey : vec4(texelFetch(palette, ivec2(int(code), 0), 0).rgb, alpha);
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 colour; out vec4 pixel;
void main() {
  vec2 d = gl_PointCoord - 0.5;
  if (dot(d, d) > 0.25) discard;
  pixel = vec4(colour.rgb * colour.a, colour.a);
}`;

function compiled(gl) {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(program));
  return program;
}

// A picture of points; null where the browser has no WebGL 2.
function pointPainter(canvas, restored) {
  const gl = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true, preserveDrawingBuffer: false });
  if (!gl) return null;
  let program, place, buffers, count = 0, lost = false;
  const kept = { place: null, code: null, chosen: null, palette: new Uint8Array(1024), grey: [0.5, 0.5, 0.5, 0.25] };

  function build() {
    program = compiled(gl);
    gl.useProgram(program);
    place = (name) => gl.getUniformLocation(program, name);
    buffers = { place: gl.createBuffer(), code: gl.createBuffer(), chosen: gl.createBuffer() };
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const [name, value] of [[gl.TEXTURE_MIN_FILTER, gl.NEAREST], [gl.TEXTURE_MAG_FILTER, gl.NEAREST],
      [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE]]) gl.texParameteri(gl.TEXTURE_2D, name, value);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    setPalette(kept.palette);
    for (const name of ["place", "code", "chosen"]) if (kept[name]) upload(name);
  }
  function upload(name) {
    const at = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, kept[name], gl.STATIC_DRAW);
    gl.enableVertexAttribArray(at);
    if (name === "place") gl.vertexAttribPointer(at, 2, gl.UNSIGNED_SHORT, true, 0, 0);
    else gl.vertexAttribIPointer(at, 1, gl.UNSIGNED_BYTE, 0, 0);
  }
  function set(name, values) {
    kept[name] = values;
    if (name === "place") count = values.length / 2;
    if (!lost) upload(name);
  }
  function setPalette(rgba) {
    kept.palette = rgba;
    if (!lost) gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, rgba);
  }
  // At most `most` points. `any` is false where every point is selected: then one layer is enough.
  function draw(view, ratio, most, any) {
    if (lost || !kept.place || !kept.code || !kept.chosen) return 0;
    const drawn = Math.min(count, most);
    const base = Math.min(5, Math.max(1.5, 420 / Math.sqrt(count || 1)));
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform4f(place("view"), ...view);
    gl.uniform1f(place("size"), Math.min(14, base * Math.sqrt(Math.max(1, Math.max(view[0], view[1])))) * ratio);
    gl.uniform1f(place("alpha"), count > 200000 ? 0.4 : 0.75);
    gl.uniform4f(place("grey"), ...kept.grey);
    for (const layer of any ? [1, 2] : [0]) {
      gl.uniform1i(place("layer"), layer);
      gl.drawArrays(gl.POINTS, 0, drawn);
    }
    return drawn;
  }
  const onLost = (event) => { event.preventDefault(); lost = true; };
  const onBack = () => { lost = false; build(); restored(); };
  canvas.addEventListener("webglcontextlost", onLost);
  canvas.addEventListener("webglcontextrestored", onBack);
  build();
  return {
    set, setPalette, draw,
    finish() { if (!lost) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); },
    grey(colour) { kept.grey = colour; },
    get count() { return count; },
    get lost() { return lost; },
    destroy() {
      canvas.removeEventListener("webglcontextlost", onLost);
      canvas.removeEventListener("webglcontextrestored", onBack);
      gl.getExtension("WEBGL_lose_context")?.loseContext();
    },
  };
}
