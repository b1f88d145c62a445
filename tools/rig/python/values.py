"""What JSON has no form for: bytes, numbers without a value, integers of any length."""

import base64
import math


def to_json(value):
    if isinstance(value, bytes):
        return {"__bytes__": base64.b64encode(value).decode()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"__float__": repr(value)}
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return {"__int__": str(value)}
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


def object_from_json(value):
    if len(value) == 1:
        if "__bytes__" in value:
            return base64.b64decode(value["__bytes__"])
        if "__float__" in value:
            return float(value["__float__"])
        if "__int__" in value:
            return int(value["__int__"])
    return value
