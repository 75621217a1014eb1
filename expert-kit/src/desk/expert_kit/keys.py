"""``desk-expert keys``: makes an office's key pairs, and says what to send and what to keep."""

from pathlib import Path

from desk.expert import ExpertError
from desk.expert.keys import FORMER, Curve, make, rotate
from desk.expert_kit.errors import NotPossibleError

_SEND = """\
Send to the desk's operators, over a channel on which they know that it is you:
{public}
Keep, readable by your consumer alone, with a backup, and never in a repository:
{private}
"""
_FORMER = """\
Keep the former private key for 30 days after the operators have taken the new one; dead letters may need it:
  {former}
Read events with both until then, the new one first.
"""
_USE = "files.pem signs your requests for files (PRIVATE_KEY); events.pem reads events (EVENT_PRIVATE_KEY).\n"


def make_keys(folder: Path, curve: Curve, *, again: bool) -> str:
    """Make the pairs, or a new one for events with ``again``; return what to print. Raises NotPossibleError."""
    try:
        files = rotate(folder, curve) if again else make(folder, curve)
    except (ExpertError, OSError) as error:
        raise NotPossibleError(str(error)) from None
    public = [path for path in files if path.name.endswith(".public.pem")]
    private = [path for path in files if path not in public]
    text = _SEND.format(public=_listed(public), private=_listed(private))
    return text + (_FORMER.format(former=folder / f"{FORMER}.pem") if again else _USE)


def _listed(paths: list[Path]) -> str:
    return "\n".join(f"  {path}" for path in paths)
