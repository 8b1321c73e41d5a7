"""The two families of errors: the user's (the file is at fault) and ours. Each has a stable code and one sentence.

``docs/errors.md`` has an entry for every code; a test keeps it so.
"""

from __future__ import annotations

from typing import ClassVar


class ToonemoError(Exception):
    """``str(error)`` is one sentence that a person understands and that names the file where there is one."""

    code: ClassVar[str] = "internal"


class UserError(ToonemoError):
    """The input is at fault; trying again without changing it is no use."""


class InternalError(ToonemoError):
    """We, or the machine, are at fault; trying again may help."""


class VideoMissing(UserError):
    code = "video_missing"


class VideoForbidden(UserError):
    code = "video_forbidden"


class VideoEmpty(UserError):
    code = "video_empty"


class NotAVideo(UserError):
    code = "not_a_video"


class NoVideoStream(UserError):
    code = "no_video_stream"


class NoFrames(UserError):
    code = "no_frames"


class VideoEncrypted(UserError):
    code = "video_encrypted"


class VideoDamaged(UserError):
    code = "video_damaged"


class VideoTooLong(UserError):
    code = "video_too_long"


class VideoTooLarge(UserError):
    code = "video_too_large"


class VideoTooSmall(UserError):
    code = "video_too_small"


class DecodeLimit(UserError):
    """The decoder ran past its limits of memory or time."""

    code = "decode_limit"


class BundleInvalid(UserError):
    code = "bundle_invalid"


class BundleMissing(UserError):
    code = "bundle_missing"


class WeightsInvalid(UserError):
    """A file of weights to import is missing, damaged, or of another network."""

    code = "weights_invalid"


class PictureTooLarge(UserError):
    """A picture does not fit the square that a bundle pads it to."""

    code = "picture_too_large"


class PictureUnreadable(UserError):
    """A picture that somebody sent is damaged, too large, of another kind, or shows nothing."""

    code = "picture_unreadable"


class DeviceMissing(UserError):
    """A device was asked for that this machine does not have."""

    code = "device_missing"


class OutputUnwritable(UserError):
    """A result cannot be written where it was asked for."""

    code = "output_unwritable"


class ModelOutputInvalid(InternalError):
    """A network gave a number that is not finite."""

    code = "model_output_invalid"


class Cancelled(ToonemoError):
    """The caller asked to stop."""

    code = "cancelled"
