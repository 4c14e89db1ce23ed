"""The way to an endpoint over TLS: a port without it, a certificate that nobody vouches for, and one that holds."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from core import errors
from core.models.remote import reaching, reading
from tests.models.remote.misbehaving import Misbehaving
from tests.models.remote.test_checking import TIMEOUTS, at, ended, said


def test_tls_asked_of_a_port_that_has_none(server: Misbehaving) -> None:
    last = ended(at(server.url("counts").replace("http:", "https:")))
    assert (last["connected"].state, last["secured"].state) == ("done", "failed")
    assert isinstance(last["secured"].error, errors.ProviderUntrusted)
    assert server.asked == []


def test_tls_asked_of_somebody_who_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        last = ended(at(f"https://127.0.0.1:{silent.getsockname()[1]}/v1", timeouts=replace(TIMEOUTS, connect_s=0.2)))
    assert isinstance(last["secured"].error, errors.ProviderUntrusted)


@contextmanager
def speaking_tls(certificate: Path) -> Iterator[int]:
    """A port at which TLS is agreed on, and the connection then dropped."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that only its own signature vouches for, and its key."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "Far Away")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_certificate_that_nobody_vouches_for(certificate: Path) -> None:
    with speaking_tls(certificate) as port:
        last = ended(at(f"https://127.0.0.1:{port}/v1"))
    assert (last["connected"].state, last["secured"].state, last["key"].state) == ("done", "failed", "skipped")
    assert isinstance(last["secured"].error, errors.ProviderUntrusted)
    assert "self-signed" in str(last["secured"].error)


def test_a_certificate_that_holds(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    reading.certificates.cache_clear()
    try:
        with speaking_tls(certificate) as port:
            last = ended(at(f"https://127.0.0.1:{port}/v1"))
    finally:
        reading.certificates.cache_clear()
    assert last["secured"].state == "done"
    tomorrow = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)
    assert said(last["secured"]).startswith("TLSv1.")
    assert abs(datetime.date.fromisoformat(last["secured"].values["until"]) - tomorrow).days <= 1
    assert isinstance(last["listed"].error, errors.ProviderUnreachable), "it hangs up once TLS is agreed on"


def test_a_name_that_leads_where_no_address_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver is outside of this test."""

    async def addresses(host: str) -> list[str]:
        return ["169.254.169.254"]

    monkeypatch.setattr(reaching, "addresses", addresses)
    last = ended(at("http://innocent.example/v1"))
    assert isinstance(last["resolved"].error, errors.AddressInvalid)
    assert last["connected"].state == "skipped"
