"""From the spec's words to the serving target of one environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gates.apply.serving.interface import Serving
from gates.errors import UsageError
from gates.plan.placeholders import fill
from gates.plan.spec_serving import KINDS

if TYPE_CHECKING:
    from gates.apply.serving.nginx import NginxWords
    from gates.apply.serving.nginx_shadow import NginxShadow
    from gates.plan.spec import Spec


def open_serving(spec: Spec, environment: str) -> Serving:
    """Return the target that a spec with `serving` names.

    Raises
    ------
    UsageError: an environment that cannot be part of a path, or a package that is not installed.
    """
    kind, words = next((kind, words) for kind in KINDS if (words := getattr(spec.serving, kind)) is not None)
    target = _KINDS[kind](spec, words, environment)
    if spec.serving is None or spec.serving.flags is None:
        return target
    from gates.apply.serving.flagd import WithFlags
    from gates.apply.serving.target_file import TargetFile

    return WithFlags(target, TargetFile(spec.path(fill(spec.serving.flags, environment=environment))))


def _file(spec: Spec, words: str, environment: str) -> Serving:
    from gates.apply.serving.file_serving import FileServing

    return FileServing(spec.path(fill(words, environment=environment)))


def _kserve(spec: Spec, words: Any, environment: str) -> Serving:
    from gates.apply.serving.gitops import GitWords
    from gates.apply.serving.kserve import KServeServing, KServeWords
    from gates.apply.serving.pull_request import PullRequestWords

    status = words.status and fill(words.status, environment=environment)
    if status and not status.startswith(("http://", "https://")):
        status = str(spec.path(status))
    path = spec.path(fill(words.manifest, environment=environment))
    push = words.push and fill(words.push, environment=environment)
    asking = words.pull_request and PullRequestWords(**dict(words.pull_request))
    return KServeServing(path, KServeWords(words.storage_uri, status, words.commit, GitWords(push, asking)))


def _nginx(spec: Spec, words: Any, environment: str) -> Serving:
    from gates.apply.serving.nginx import NginxServing

    return NginxServing(spec.path(fill(words.config, environment=environment)), _nginx_words(words, environment))


def _nginx_words(words: Any, environment: str) -> NginxWords:
    from gates.apply.serving.nginx import NginxWords

    status = words.status and fill(words.status, environment=environment)
    return NginxWords(words.key, words.upstream, words.test, words.reload, status)


def open_shadow(spec: Spec, environment: str) -> NginxShadow:
    """Return where the shadow of an environment is named.

    Raises
    ------
    UsageError: `spec.shadow_missing`.
    """
    from gates.apply.serving.nginx_shadow import NginxShadow

    words = spec.serving.nginx if spec.serving else None
    if words is None or words.shadow is None:
        raise UsageError(
            "gates.yaml names no file for a shadow",
            code="spec.shadow_missing",
            remedy="add `shadow: /etc/nginx/model-gates-{environment}-shadow.conf` to `serving.nginx`",
        )
    return NginxShadow(spec.path(fill(words.shadow, environment=environment)), _nginx_words(words, environment))


def _databricks(spec: Spec, words: Any, environment: str) -> Serving:
    from gates.apply.serving.databricks import DatabricksServing, DatabricksWords

    return DatabricksServing(
        DatabricksWords(
            fill(words.endpoint, environment=environment),
            fill(words.volume, environment=environment),
            words.entity,
            words.profile,
            words.wait_minutes * 60,
        )
    )


_KINDS: dict[str, Callable[..., Serving]] = {
    "file": _file,
    "kserve": _kserve,
    "nginx": _nginx,
    "databricks": _databricks,
}
