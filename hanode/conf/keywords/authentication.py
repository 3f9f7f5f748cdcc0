"""authentication and auth_hmac of a vrrp_instance.

PURE; data only.
"""

from __future__ import annotations

from hanode.conf.language.kinds_machine import HmacKey
from hanode.conf.language.schema import block, switch, word
from hanode.conf.language.values import Choice, Int, Word

BLOCKS = (
    block(
        "authentication",
        (
            word(
                "auth_type",
                Choice(("PASS", "AH")),
                "PASS: a word in clear text; AH: a checksum.",
                field="auth_type",
                engine="runs",
            ),
            word(
                "auth_pass",
                Word("a word"),
                "The shared word; only 8 bytes are sent.",
                field="auth_pass",
                secret=True,
                engine="runs",
            ),
        ),
    ),
    block(
        "auth_hmac",
        (
            word(
                "key",
                HmacKey("a number and a key of 32 to 64 bytes"),
                "A key and its number; the key is text, hex:… or file:….",
                secret=True,
                repeats=True,
                since="2.4.0",
                engine="runs",
            ),
            word("active_key", Int(0, 255), "The key to sign with.", since="2.4.0", engine="runs"),
            switch("anti_replay", "Refuse adverts heard before.", since="2.4.0", engine="runs"),
            word(
                "time_window",
                Int(1, 300),
                "Seconds that clocks may differ.",
                default="3 × advert_int, at least 5",
                since="2.4.0",
                engine="runs",
            ),
            word(
                "mode",
                Choice(("enforce", "permissive", "receive-only")),
                "Refuse unsigned adverts, take them too, or check without signing.",
                default="enforce",
                since="2.4.0",
                before=("2.4.2", Choice(("enforce", "permissive"))),
                engine="runs",
            ),
        ),
    ),
)
