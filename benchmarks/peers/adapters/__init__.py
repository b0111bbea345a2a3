"""One module a tracker; ``workloads.py`` says what each holds."""
