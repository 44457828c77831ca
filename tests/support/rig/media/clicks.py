"""A click, and where it is found: the clock of the films' sound.

It is a tone under a bell. Its moment is the middle of the bell, which every codec of the list leaves where it was; a single sample would be
spread over milliseconds by most of them. Found to a hundredth of a millisecond."""
import array
import math
import operator
import struct
import subprocess

RATE = 44100  # of what is converted
PITCH, WIDTH = 1500, 0.0015  # Hz; s from the middle to 1/e of the height
REACH = 3.5 * WIDTH  # where the bell has sunk below a sample of 16 bits
HEIGHT = 16000
APART = 0.03  # s; two of them are never closer
ECHO = 0.35  # of the highest sample; less is what a codec leaves in front of a click or behind it


def bell(rate, late=0.0):
    """((height, tone), ...) from REACH in front of the middle to REACH behind it; the middle is late by so many samples."""
    reach = round(REACH * rate)
    return [(math.exp(-(t / WIDTH) ** 2), 2 * math.pi * PITCH * t) for t in ((n - late) / rate for n in range(-reach, reach + 1))]


def write(path, rate, channels, moments, seconds):
    """A WAV that clicks at these seconds, to a part of a sample, and is silent otherwise."""
    one = array.array("h", bytes(2 * round(rate * seconds)))
    for moment in moments:
        middle = round(moment * rate)
        for n, (height, tone) in enumerate(bell(rate, moment * rate - middle), middle - round(REACH * rate)):
            if 0 <= n < len(one):
                one[n] = round(HEIGHT * height * math.cos(tone))
    samples = array.array("h", bytes(2 * len(one) * channels))
    for channel in range(channels):
        samples[channel::channels] = one
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    data = struct.pack("<4sI", b"data", 2 * len(samples)) + samples.tobytes()
    path.write_bytes(struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data)
    return path


def decoded(path, rate=RATE):
    """The mean of its channels. An mp3's delay and padding are left out, as its header has them."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:a:0", "-ac", "1", "-ar", str(rate), "-f", "f32le", "-"],
                          check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return array.array("f", done.stdout)


def loud(samples, rate, block=64):
    """The highest sample of each stretch that is loud."""
    heights = [max(max(part), -min(part)) for part in (samples[at:at + block] for at in range(0, len(samples), block))]
    least, found = ECHO * max(heights, default=0), []
    for n, height in enumerate(heights):
        if height < max(least, 0.02):
            continue
        if not found or (n - found[-1][-1]) * block > APART * rate:
            found.append([])
        found[-1].append(n)
    return [block * max(stretch, key=heights.__getitem__) + block // 2 for stretch in found]


def middle(samples, near, rate):
    """How like a click the sound is around each sample is a bell again, and the logarithm of that a parabola."""
    shape = bell(rate)
    waves = [[height * wave(tone) for height, tone in shape] for wave in (math.cos, math.sin)]

    def likeness(at):
        part = [samples[n] if 0 <= n < len(samples) else 0.0 for n in range(at - len(shape) // 2, at + len(shape) // 2 + 1)]
        return sum(sum(map(operator.mul, part, wave)) ** 2 for wave in waves)

    for step in (16, 4, 1):
        top = max(range(near - 12 * step, near + 12 * step + 1, step), key=likeness)
        near = top
    before, at, behind = (math.log(likeness(top + n) or 1e-30) for n in (-1, 0, 1))
    return (top + (before - behind) / (2 * (before - 2 * at + behind))) / rate


def found(samples, rate=RATE):
    """Where they click: seconds from the first sample."""
    return [middle(samples, near, rate) for near in loud(samples, rate)]
