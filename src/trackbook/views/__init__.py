"""What people look at, as plain dicts and text: columns, charts, comparison, static HTML."""
