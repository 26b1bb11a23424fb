"""The four trackers, each behind `log(step, metrics)` and `close()`; see `lab.proxy.trackers`.

All of them keep what they get in the workspace's folder `trackers`, unless the user's own
environment names a server:

    tensorboard   tensorboard/RUN/    event files, for `tensorboard --logdir`
    trackio       trackio/            SQLite, or $TRACKIO_DIR; a Space with $TRACKIO_SPACE_ID
    wandb         wandb/RUN/          offline, for `wandb sync`; or as $WANDB_MODE says
    mlflow        mlflow/mlflow.db    SQLite, or $MLFLOW_TRACKING_URI

Each package's own reports home (usage statistics, crash reports, facts about the machine) are
switched off, save where the user's environment switches them on.

TensorBoard's files are written record by record (Abadi et al. 2016: length, CRC of the length,
protocol buffer, CRC of it), not through its own writer, whose thread would hide a full disk and
whose file names hold the name of the machine.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from lab.core.lock import hold

PROJECT = "mixlab"
PATIENCE = 60.0  # seconds to wait for another process that opens the same database
Config = Mapping[str, str | int | float]


class Tracker(Protocol):
    """What takes the numbers of one run."""

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Take the numbers of one step."""

    def close(self) -> None:
        """Bring all to its place."""


class TensorBoard:
    """Event files, one a session."""

    def __init__(self, folder: Path, name: str, config: Config) -> None:
        """Begin a file; the first of a run holds its description as text."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        session = len(list(folder.glob("events.out.tfevents.*")))
        stem = f"events.out.tfevents.{session:010d}"  # its reader goes by name, clocks may jump
        self.event, self.summary = Event, Summary
        self.records = RecordWriter((folder / stem).open("xb", buffering=0))
        self.write(file_version="brain.Event:2")
        if session == 0:
            self.write(step=0, summary=text_summary("config", table(config)))

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """One event with a value per metric, on its way to the disk at once."""
        values = [self.summary.Value(tag=k, simple_value=v) for k, v in metrics.items()]
        self.write(step=step, summary=self.summary(value=values))

    def write(self, **content: Any) -> None:
        """One record."""
        event = self.event(wall_time=time.time(), **content)
        self.records.write(event.SerializeToString())

    def close(self) -> None:
        """End the file."""
        self.records.close()


def text_summary(tag: str, text: str) -> Any:
    """`text` (Markdown) as TensorBoard's text tab wants it."""
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

    plugin = SummaryMetadata.PluginData(plugin_name="text")
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
    tensor = TensorProto(dtype="DT_STRING", string_val=[text.encode()], tensor_shape=shape)
    metadata = SummaryMetadata(plugin_data=plugin)
    return Summary(
        value=[Summary.Value(tag=f"{tag}/text_summary", metadata=metadata, tensor=tensor)]
    )


def table(config: Config) -> str:
    """A description as a Markdown table."""
    rows = [f"| {key} | {value} |" for key, value in config.items()]
    return "\n".join(["| key | value |", "|---|---|", *rows])


class Trackio:
    """A local database that `trackio show` reads; its folder is fixed once per process."""

    def __init__(self, folder: Path, name: str, config: Config) -> None:
        """Begin or continue the run `name`."""
        os.environ.setdefault("TRACKIO_DIR", str(folder.parent))
        os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
        with quiet():
            import trackio

            self.run = trackio.init(
                project=PROJECT,
                name=name,
                config=dict(config),
                resume="allow",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Queue the numbers of a step."""
        self.run.log(dict(metrics), step=step)

    def close(self) -> None:
        """Wait for the queue."""
        with quiet():
            self.run.finish()


class WeightsAndBiases:
    """A W&B run: a folder to be synced, unless $WANDB_MODE says otherwise."""

    def __init__(self, folder: Path, name: str, config: Config) -> None:
        """Begin or continue the run `name`."""
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        os.environ.setdefault("WANDB_MODE", "offline")
        with quiet():
            import wandb

            self.run = wandb.init(
                project=PROJECT,
                id=name[-64:],  # the longest that the service takes; the end is the hash
                name=name,
                dir=str(folder),
                config=dict(config),
                resume="allow" if os.environ["WANDB_MODE"] == "online" else None,
                settings=wandb.Settings(
                    console="off",
                    silent=True,
                    disable_git=True,
                    disable_code=True,
                    x_disable_meta=True,
                    x_disable_machine_info=True,
                    x_disable_stats=True,
                ),
            )

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Queue the numbers of a step."""
        self.run.log(dict(metrics), step=step)

    def close(self) -> None:
        """Wait for the queue."""
        with quiet():
            self.run.finish()


class MLflow:
    """A run in a database of the workspace, or on the server of $MLFLOW_TRACKING_URI."""

    def __init__(self, folder: Path, name: str, config: Config) -> None:
        """Find the run `name`, or begin it with its description as parameters.

        One process at a time: two that are first would both make the database and the experiment.
        """
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        busy = "Another process opens the tracker."
        with quiet(), hold(folder.parent / "opening.json", "mlflow", PATIENCE, busy):
            from mlflow import MlflowClient
            from mlflow.entities import Param

            own = f"sqlite:///{(folder.parent / 'mlflow.db').as_posix()}"
            where = os.environ.get("MLFLOW_TRACKING_URI") or own
            here = where.startswith(("sqlite:", "file:"))  # a server has a place of its own
            files = (folder.parent / "files").as_uri() if here else None
            self.client = MlflowClient(where)
            known = self.client.get_experiment_by_name(PROJECT)
            group = known.experiment_id if known else self.client.create_experiment(PROJECT, files)
            found = self.client.search_runs([group], f"tags.mixlab = '{name}'")
            run = found[0] if found else self.client.create_run(
                group, run_name=name, tags={"mixlab": name}
            )  # fmt: skip
            self.id = run.info.run_id
            if not found:
                params = [Param(key, str(value)) for key, value in config.items()]
                self.client.log_batch(self.id, params=params)

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write the numbers of a step."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        batch = [Metric(key, value, now, step) for key, value in metrics.items()]
        self.client.log_batch(self.id, metrics=batch)

    def close(self) -> None:
        """Say that the run is over."""
        self.client.set_terminated(self.id)


def quiet() -> contextlib.AbstractContextManager[Any]:
    """Turn what a package says on standard output to the log."""
    return contextlib.redirect_stdout(sys.stderr)


KINDS: dict[str, Callable[[Path, str, Config], Tracker]] = {
    "tensorboard": TensorBoard,
    "trackio": Trackio,
    "wandb": WeightsAndBiases,
    "mlflow": MLflow,
}
