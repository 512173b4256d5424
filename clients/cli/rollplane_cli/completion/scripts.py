"""The scripts that make shells complete ``rollplane`` command lines.

bash gets commands, flags and their values as words of the script, since starting a program for them could be felt, and
asks ``rollplane __complete`` for types and names only. zsh and fish, whose own tables would be a second and third copy,
ask it for everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rollplane_cli.flags import GLOBAL_FLAGS, Flag, flags_of, own_flags_of
from rollplane_cli.registry import commands

_BASH = """\
# Completion of rollplane for bash. Load it with: source <(rollplane completion bash)
_rollplane() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
    local name="" words="" flags="" at=1
    [[ $previous == "=" ]] && previous="${{COMP_WORDS[COMP_CWORD-2]}}"
    [[ $current == "=" ]] && current=""
    while (( at < COMP_CWORD )); do
        case "${{COMP_WORDS[at]}}" in
            {valued}) (( at += 1 )) ;;
            -*|=) ;;
            *)
                name+="${{name:+ }}${{COMP_WORDS[at]}}"
                case "$name" in {groups}) ;; *) break ;; esac
                ;;
        esac
        (( at += 1 ))
    done
    (( at + 1 < COMP_CWORD )) && case "$name ${{COMP_WORDS[at+1]}}" in {longer}) name+=" ${{COMP_WORDS[at+1]}}" ;; esac
    case "$name" in
{commands}
    esac
    case "$name $previous" in
{values}
        {asked}) words="" ;;
    esac
    if [[ $current == -* ]]; then
        words="$flags"
    elif [[ -z $words ]]; then
        words="$("${{COMP_WORDS[0]}}" __complete -- "${{COMP_WORDS[@]:1:COMP_CWORD}}" 2>/dev/null)"
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    [[ ${{#COMPREPLY[@]}} -eq 1 && ${{COMPREPLY[0]}} == */ ]] && compopt -o nospace 2>/dev/null
    return 0
}}
complete -o default -F _rollplane rollplane
"""

_ZSH = """\
#compdef rollplane
# Completion of rollplane for zsh. Load it with: source <(rollplane completion zsh)
_rollplane() {
    local -a candidates
    candidates=(${(f)"$("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    if (( ${#candidates} )); then
        compadd -S ' ' -- ${candidates:#*/}
        compadd -S '' -- ${(M)candidates:#*/}
    else
        _files
    fi
}
compdef _rollplane rollplane
"""

_FISH = """\
# Completion of rollplane for fish. Load it with: rollplane completion fish | source
function __rollplane_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    $words[1] __complete -- $words[2..-1] "$current" 2>/dev/null
end
complete -c rollplane -a '(__rollplane_complete)'
"""


def bash_script() -> str:
    """Return the script for bash."""
    valued = [spelling for flag in GLOBAL_FLAGS if flag.takes_value for spelling in _spellings(flag)]
    return _BASH.format(
        valued="|".join(valued),
        asked="|".join(f'*" {spelling}"' for spelling in valued),
        groups=_alternatives(_groups()),
        longer=_alternatives(_longer()),
        commands="\n".join(_command_cases()),
        values="\n".join(_value_cases()),
    )


SCRIPTS: Mapping[str, str] = MappingProxyType({"zsh": _ZSH, "fish": _FISH})
"""Scripts that are the same whatever commands there are."""


def _groups() -> list[str]:
    return sorted({name.split()[0] for name in commands() if " " in name and name not in _longer()})


def _longer() -> list[str]:
    """Commands of two words whose first is one already."""
    return [name for name in commands() if " " in name and name.split()[0] in commands()]


def _command_cases() -> list[str]:
    """What may follow a command's name: words for a group, flags for a command."""
    shared = _long(GLOBAL_FLAGS)
    first = " ".join(dict.fromkeys(name.split()[0] for name in commands()))
    cases = [f'        "") words="{first}" flags="{shared}" ;;']
    for group in _groups():
        seconds = " ".join(name.split()[1] for name in commands() if name.startswith(f"{group} "))
        cases.append(f'        "{group}") words="{seconds}" flags="{shared}" ;;')
    for name, entry in commands().items():
        cases.append(f'        "{name}") flags="{_long(flags_of(entry.load().flags))}" ;;')
    return cases


def _value_cases() -> list[str]:
    """The values of flags that know them all."""
    cases = []
    for name, entry in commands().items():
        for flag in own_flags_of(entry.load().flags):
            if flag.choices and flag.takes_value:
                patterns = _alternatives([f"{name} {spelling}" for spelling in _spellings(flag)])
                cases.append(f'        {patterns}) words="{" ".join(flag.choices)}" ;;')
    return cases


def _long(flags: Sequence[Flag[Any]]) -> str:
    return " ".join(f"--{flag.name}" for flag in flags)


def _spellings(flag: Flag[Any]) -> list[str]:
    return [f"--{flag.name}", *([f"-{flag.short}"] if flag.short else [])]


def _alternatives(texts: Sequence[str]) -> str:
    return "|".join(f'"{text}"' for text in texts)
