"""Django: bodies that are made after the view has returned know its caller; files are left alone."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest
from asgiref.sync import sync_to_async

import django_project
from adapters.django_calls import bearing
from adapters.scenarios import AUDIENCE, ISSUER
from bearerkit import Auth, Issuer
from bearerkit.current_caller import CALLER

django_project.configure()

from django.http import FileResponse, HttpResponse, StreamingHttpResponse  # noqa: E402 - needs the settings
from django.template.response import SimpleTemplateResponse  # noqa: E402
from django.test import AsyncClient, AsyncRequestFactory, RequestFactory, override_settings  # noqa: E402
from django.urls import path  # noqa: E402

from bearerkit.django import RequireBearer, current_auth  # noqa: E402

bearer = RequireBearer(Auth(Issuer(ISSUER.issuer, audience=AUDIENCE, keys=ISSUER.jwks)))
on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])
"""Django's handlers are made for asyncio alone."""


@pytest.mark.anyio
@on_asyncio
async def test_async_streams_are_made_under_their_caller() -> None:
    """Part by part, after the view has returned; the team's generator is closed as before."""
    closed: list[bool] = []

    async def stream(request: Any) -> StreamingHttpResponse:
        async def parts() -> Any:
            try:
                yield str(current_auth.subject)
                yield str(current_auth.subject)
            finally:
                closed.append(True)

        return StreamingHttpResponse(parts())

    response = await bearer(stream)(AsyncRequestFactory().get("/", headers=bearing(sub="ada")))
    assert CALLER.get() is None
    assert [part async for part in response.streaming_content] == [b"ada", b"ada"]
    assert (CALLER.get(), closed) == (None, [True])


@pytest.mark.anyio
@on_asyncio
async def test_a_task_that_outlives_the_request_keeps_its_caller() -> None:
    """The one of the request that started it, whoever is being served when it gets its turn; sync code of it too."""
    seen: list[str] = []
    go_on, tasks = asyncio.Event(), []

    async def late() -> None:
        await go_on.wait()
        seen.append(str(current_auth.subject))
        seen.append(await sync_to_async(lambda: str(current_auth.subject))())

    async def view(request: Any) -> HttpResponse:
        tasks.append(asyncio.create_task(late()))
        return HttpResponse("started")

    with override_settings(ROOT_URLCONF=(path("x", bearer(view)),)):
        for user in ("ada", "bob"):
            assert (await AsyncClient().get("/x", headers=bearing(sub=user))).content == b"started"
    go_on.set()
    await asyncio.gather(*tasks)
    assert sorted(seen) == ["ada", "ada", "bob", "bob"]
    assert CALLER.get() is None


class Page(SimpleTemplateResponse):
    """A template that asks who is calling, by whatever name the view gave it."""

    @property
    def rendered_content(self) -> str:
        return str(self.resolve_context(self.context_data)["caller"].subject)


@pytest.mark.anyio
@on_asyncio
@pytest.mark.parametrize("view", [lambda request: Page("x", {"caller": current_auth}), None])
async def test_a_page_that_is_rendered_later_knows_the_caller(view: Any) -> None:
    """Django renders it after the view has returned; then a cache may pickle it. Another guard changes nothing."""

    async def async_view(request: Any) -> HttpResponse:
        return Page("x", {"caller": current_auth})

    guarded = bearer(bearer(view or async_view))
    response = guarded(RequestFactory().get("/", headers=bearing(sub="ada")))
    response = response if view else await response
    assert not response.is_rendered
    assert response.render().content == b"ada"
    assert CALLER.get() is None
    assert pickle.loads(pickle.dumps(response)).content == b"ada"
    again = bearer(lambda request: response)(RequestFactory().get("/", headers=bearing()))
    assert again is response
    assert "render" not in vars(again)
    with override_settings(ROOT_URLCONF=(path("x", guarded),)):
        assert (await AsyncClient().get("/x", headers=bearing(sub="eve"))).content == b"eve"


def test_a_file_is_left_to_the_server(tmp_path: Any) -> None:
    """It may have a faster way to send it, which needs the file itself."""
    (tmp_path / "report.txt").write_text("secret")
    view = bearer(lambda request: FileResponse((tmp_path / "report.txt").open("rb")))
    response = view(RequestFactory().get("/", headers=bearing()))
    assert response.file_to_stream is not None
    assert response.getvalue() == b"secret"
    response.close()
