"""The command line: parse, call, show; one short file a command."""
