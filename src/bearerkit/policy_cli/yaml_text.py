"""Reading YAML as if it were JSON: plain values, members that are written once, and no aliases.

PyYAML is optional and imported when the first YAML file is read. No other module may use it.
"""

from __future__ import annotations

from typing import Any, Final

from bearerkit.policy.members import each_once

__all__ = ["yaml_value"]

_STAR: Final = 'a pattern that begins with * needs quotes in YAML: "*"'


def yaml_value(text: str) -> Any:
    """The one value in a YAML text. Raises ValueError with one line that says what is wrong, and where."""
    try:
        import yaml
        from yaml.composer import ComposerError
    except ModuleNotFoundError:
        raise ValueError('YAML files need PyYAML: pip install "bearerkit[cli]"') from None

    class Loader(yaml.SafeLoader):
        """Safe, and strict. Dates stay text."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            # An alias is a second name for a part that may hold aliases again: ten lines of them are a million values.
            if self.check_event(yaml.AliasEvent):
                event: Any = self.get_event()  # type: ignore[no-untyped-call]
                raise ComposerError(None, None, f"the alias *{event.anchor} is not read; {_STAR}", event.start_mark)
            return super().compose_node(parent, index)

    def members(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        made = loader.construct_object
        return each_once((made(key, deep=True), made(value, deep=True)) for key, value in node.value)

    Loader.add_constructor("tag:yaml.org,2002:map", members)
    Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: str(node.value))
    try:
        return yaml.load(text, Loader)  # noqa: S506 - it is a SafeLoader
    except yaml.MarkedYAMLError as error:
        raise ValueError(_told(error)) from None
    except (yaml.YAMLError, TypeError) as error:  # TypeError: a list as the name of a member
        raise ValueError(f"this is no YAML: {error}") from None


def _told(error: Any) -> str:
    """What PyYAML says, without the name that it gives to every text."""
    mark = error.problem_mark or error.context_mark
    where = "" if mark is None else f" at line {mark.line + 1}, column {mark.column + 1}"
    said = ": ".join(part for part in (error.context, error.problem) if part)
    return f"this is no YAML{where}: {said}" + (f" ({_STAR})" if error.context == "while scanning an alias" else "")
