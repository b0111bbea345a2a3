"""What a session's log of cells tells about a run: which of them mattered, and whether they still
give its numbers. Reads the store; knows neither IPython's hooks nor how runs are recorded."""
