"""Writes vectors.json from the words of the package's documentation, sharing no code with it.

The vectors are frozen: this file shows how they came about and is not run by the tests.
Needs python3 with the cryptography package:  python3 vectors.py > vectors.json
"""

import hashlib
import hmac
import json
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305


def number(n):
    return struct.pack(">Q", n)


def fields(*parts):
    parts = [p.encode() if isinstance(p, str) else p for p in parts]
    return b"".join(number(len(p)) + p for p in parts)


def sha256(b):
    return hashlib.sha256(b).digest()


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf(secret, *info):
    return mac(mac(bytes(32), secret), fields(*info) + b"\x01")


def hchacha20(key, nonce):
    """draft-irtf-cfrg-xchacha, section 2.2"""
    s = list(struct.unpack("<4I8I4I", b"expand 32-byte k" + key + nonce))

    def quarter(a, b, c, d):
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            s[z] ^= s[x]
            s[z] = ((s[z] << n) | (s[z] >> (32 - n))) & 0xFFFFFFFF

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *(s[:4] + s[12:]))


def xchacha(key, nonce, plaintext):
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])).encrypt(bytes(4) + nonce[16:], plaintext, None)


def commitment(mission, job, round, validator, result, vote, reason, salt):
    digest = sha256(fields("omega.commit/v1", mission, job, number(round), validator, result, vote,
                           sha256(reason.encode()), salt))
    return dict(mission=mission, job=job, round=round, validator=validator.hex(), result=result.hex(),
                vote=vote, reason=reason, salt=salt.hex(), commitment=digest.hex())


def seal(host, id, mission, job, round, vote, reason):
    secret = hkdf(host, "omega.validator/v1", id)
    public = Ed25519PrivateKey.from_private_bytes(hkdf(secret, "omega.sign/v1")).public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    key = hkdf(secret, "omega.seal/v1", mission, job, number(round))
    text = reason.encode()
    plaintext = bytes([1 + ["approve", "reject", "abstain"].index(vote), len(text)]) + text
    plaintext = plaintext.ljust(96, b"\0")
    nonce = mac(key, plaintext)[:24]
    return dict(host=host.hex(), id=id, secret=secret.hex(), public=public.hex(), mission=mission, job=job,
                round=round, vote=vote, reason=reason,
                salt=hkdf(secret, "omega.salt/v1", mission, job, number(round)).hex(),
                nonce=nonce.hex(), box=xchacha(key, nonce, plaintext).hex())


def draw(mission, prev, job, round, weights, last, n):
    seed = sha256(fields("omega.draw/v1", number(mission), prev, job, number(round)))
    words = (w for k in range(1 << 32) for w in struct.unpack(">4Q", sha256(seed + number(k))))
    seats = []
    for group in (False, True):
        urn = [i for i, w in enumerate(weights) if w > 0 and last[i] == group]
        while urn and len(seats) < n:
            total = sum(weights[i] for i in urn)
            x = next(w for w in words if w < 2**64 - 2**64 % total) % total
            for i in urn:
                if x < weights[i]:
                    break
                x -= weights[i]
            urn.remove(i)
            seats.append(i)
    return dict(mission=mission, prev=prev.hex(), job=job, round=round, seed=seed.hex(), weights=weights,
                last=last, n=n, seats=seats)


# draft-irtf-cfrg-xchacha, section 2.2.1
assert hchacha20(bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927")).hex() == \
    "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"

ULID = "01J8ZQ4T6M3X9V2K7N5B1C0D8E"
ONE, TWO, THREE = (sha256(bytes([n])) for n in (1, 2, 3))
print(json.dumps(dict(
    commitments=[
        commitment(ULID, "swarm", 1, ONE, TWO, "approve", "", THREE),
        commitment(ULID, "swarm_0", 2, ONE, TWO, "reject", "result.cells is 9, less than 10", THREE),
        commitment(ULID, "swarm_9f86d081884c__3", 7, TWO, THREE, "abstain", "Skript läuft nicht", ONE),
        commitment("", "", 0, bytes(32), bytes(32), "approve", "", bytes(32)),
    ],
    seals=[
        seal(ONE, "v-0", ULID, "swarm", 1, "approve", ""),
        seal(ONE, "v-1", ULID, "swarm", 1, "reject", "result.cells is 9, less than 10"),
        seal(TWO, "auditor", ULID, "swarm_9f86d081884c__3", 300, "abstain", "é" * 47),
    ],
    draws=[
        draw(42, ONE, "swarm", 1, [1000] * 5, [False] * 5, 3),
        draw(42, ONE, "swarm", 2, [1000] * 5, [True, True, True, False, False], 5),
        draw(7, TWO, "report", 1, [250000000, 1000000000, 0, 1, 999999999], [False] * 5, 5),
        draw(2**64 - 1, THREE, "big", 9, [2**61, 2**61, 2**61, 2**60], [False, True, False, False], 4),
        draw(42, THREE, "long", 3, list(range(1, 21)), [i % 7 == 0 for i in range(20)], 20),
        draw(0, bytes(32), "none", 1, [0, 0], [False, True], 2),
    ],
), indent=1, ensure_ascii=False))
