"""Sealed records by another implementation of AES-256-GCM, from the description of the format alone.

    vectors.py make            prints vectors: name, issuer, key, nonce, fields and record, by tabs
    vectors.py open KEY        opens the record on standard input, both in hexadecimal
"""

import hashlib
import struct
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CASES = [
    ("prod-do", "digitalocean", [("token", "dop_v1_vector")]),
    ("a", "hetzner", [("token", "x" * 300)]),
    ("n" * 63, "tailscale", [("auth_key", "tskey-auth-vector")]),
    ("prod-aws", "aws", [("access_key_id", "AKIDVECTOR"), ("secret_access_key", "vector/+=")]),
    ("temp", "aws", [("access_key_id", "ASIA"), ("secret_access_key", "s"), ("session_token", "t")]),
]


def key_id(key):
    return hashlib.sha256(b"stagecraft key id\0" + key).digest()[:8]


def word(text):
    return bytes([len(text)]) + text.encode()


def seal(key, nonce, name, issuer, fields):
    plain = b"".join(
        word(field) + struct.pack(">I", len(secret)) + secret.encode() for field, secret in fields
    )
    header = b"SCV\x01" + key_id(key) + nonce + word(issuer) + word(name)
    header += struct.pack(">I", len(plain) + 16)
    return header + AESGCM(key).encrypt(nonce, plain, header)


def unseal(key, record):
    assert record[:4] == b"SCV\x01" and record[4:12] == key_id(key)
    nonce, at, words = record[12:24], 24, []
    for _ in range(2):
        words.append(record[at + 1 : at + 1 + record[at]].decode())
        at += 1 + record[at]
    (length,) = struct.unpack(">I", record[at : at + 4])
    header, sealed = record[: at + 4], record[at + 4 :]
    assert len(sealed) == length
    plain, fields, at = AESGCM(key).decrypt(nonce, sealed, header), [], 0
    while at < len(plain):
        field = plain[at + 1 : at + 1 + plain[at]].decode()
        at += 1 + plain[at]
        (length,) = struct.unpack(">I", plain[at : at + 4])
        fields.append(f"{field}={plain[at + 4 : at + 4 + length].decode()}")
        at += 4 + length
    return f"{words[1]} {words[0]} {','.join(fields)}"


if sys.argv[1] == "make":
    print("# Made by vectors.py.")
    for number, (name, issuer, fields) in enumerate(CASES):
        key, nonce = bytes([number]) * 32, bytes([255 - number]) * 12
        record = seal(key, nonce, name, issuer, fields)
        listed = ",".join(f"{field}={secret}" for field, secret in fields)
        print(name, issuer, key.hex(), nonce.hex(), listed, record.hex(), sep="\t")
else:
    print(unseal(bytes.fromhex(sys.argv[2]), bytes.fromhex(sys.stdin.read())))
