"""Bootstrap, seed noise and the tests of signal that the other rooms of evaluation build on."""
