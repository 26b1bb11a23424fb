"""The benchmarks page: what is registered, each prompt as a model sees it, twins, removal."""
