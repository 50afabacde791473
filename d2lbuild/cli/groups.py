"""Groups of commands: in the order in which they are written, and imported only when they are needed."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

__all__ = ["LazyGroup", "OrderedGroup"]


class OrderedGroup(click.Group):
    """A group that lists its commands in the order in which they were added, not in that of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is Click's
        """Return the names of the commands."""
        return list(self.commands)


class LazyGroup(OrderedGroup):
    """A group that knows where its commands are, and imports one when it is asked for it."""

    def __init__(self, *args: Any, places: Mapping[str, str], **attrs: Any) -> None:
        """Make a group; `places` tells where the command of each name is, as ``package.module:variable``."""
        super().__init__(*args, **attrs)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is Click's
        """Return the names of the commands, without importing one."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command of that name; None if there is none."""
        if cmd_name not in self._places:
            return None
        module, _, variable = self._places[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), variable)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first word names, and the other words; the nearest one in the error."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=self._places, ctx=ctx) from None
