#!/bin/sh
# Makes the sample media of the encoder's tests in DIR, once. Needs the ffmpeg program.
set -eu
dir=${1:?usage: make_media.sh DIR}
command -v ffmpeg >/dev/null || { echo "make_media.sh: ffmpeg is missing" >&2; exit 77; }
[ ! -e "$dir/made" ] || exit 0
mkdir -p "$dir"
cd "$dir"

make() { ffmpeg -v error -nostdin -y "$@"; }
cut_at() { head -c $(($(stat -c %s "$1") * $2 / 100)) "$1" >"$3"; }
tone() { echo "sine=440:r=$1:d=$2"; }
picture="testsrc=s=320x240:r=25:d=3"

make -f lavfi -i "$(tone 44100 3)" -f lavfi -i "$picture" -ac 2 -c:a aac -c:v mpeg4 clip.mp4
make -i clip.mp4 -c copy -movflags +faststart front.mp4
make -i clip.mp4 -c copy -movflags frag_keyframe+empty_moov fragments.mp4
make -f lavfi -i "$(tone 22050 3)" -ac 1 -c:a aac mono22.mp4
make -f lavfi -i "$(tone 48000 3)" -f lavfi -i "$picture" -ac 2 -c:a libopus -c:v libvpx clip.webm
make -f lavfi -i "$(tone 48000 3)" -f lavfi -i "$picture" -ac 6 -c:a ac3 -c:v mpeg4 clip.mkv
make -i clip.mp4 -c copy clip.ts
make -i clip.mp4 -c:a mp3 -c:v copy clip.avi
make -i clip.mp4 -c:a mp3 -c:v flv clip.flv
make -i clip.mp4 -vn clip.wav
make -i clip.mp4 -vn clip.flac
make -i clip.mp4 -vn clip.ogg
make -i clip.mp4 -vn clip.mp3
make -f lavfi -i "$picture" -c:v mpeg4 mute.mp4
make -f lavfi -i "$picture" -frames:v 1 picture.png
# The rate changes in mid-stream: two transport streams, one behind the other.
make -f lavfi -i "$(tone 48000 1)" -ac 1 -c:a mp2 -f mpegts part1.ts
make -f lavfi -i "$(tone 44100 1)" -ac 2 -c:a mp2 -f mpegts part2.ts
cat part1.ts part2.ts >change.ts

cut_at clip.mp4 60 cut_clip.mp4
cut_at front.mp4 60 cut_front.mp4
cut_at clip.mkv 60 cut_clip.mkv
cut_at clip.webm 60 cut_clip.webm
cut_at clip.wav 60 cut_clip.wav
cut_at clip.avi 60 cut_clip.avi
cut_at clip.flac 60 cut_clip.flac
cut_at clip.mp3 60 cut_clip.mp3
cut_at clip.ogg 60 cut_clip.ogg
cut_at fragments.mp4 60 cut_fragments.mp4
: >empty.mp4
seq 1 5000 >text.txt
head -c 300000 /dev/urandom >noise.bin
# Sound bytes overwritten, index kept: the container is whole, nothing in it decodes.
cp front.mp4 damaged.mp4
size=$(stat -c %s front.mp4)
dd if=/dev/zero of=damaged.mp4 bs=1024 seek=12 count=$((size / 1024 - 13)) conv=notrunc 2>/dev/null
printf '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n' >list.m3u8
printf 'ffconcat version 1.0\nfile /etc/passwd\n' >list.ffconcat
printf 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n' >x.sdp
: >made
