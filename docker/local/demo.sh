#!/usr/bin/env bash
# One real conversion, shown end to end, over the running suite: demo.sh RUN_DIR
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/docker/local/lib.sh"
run=$(cd "$1" && pwd)
. "$run/servers.env"
. "$run/daemons.env"
build=$(cd "${TONEARM_BUILD:-$root/build/release}" && pwd)
base="http://127.0.0.1:$GATEWAY_PORT"
user=demo@example.org

say() { printf '\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '%s\n' "$*"; }

demo_user() {
	export MYSQL_HOST=127.0.0.1 MYSQL_PORT=$MARIADB_PORT MYSQL_USER=auth_user MYSQL_DB=auth MYSQL_PASSWORD_FILE="$run/mysql-auth.secret" \
		JWT_SECRET_FILE="$run/jwt.secret"
	[ -s "$run/demo.secret" ] && return 0
	(umask 077 && head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$run/demo.secret")
	"$build/services/auth/auth" user add "$user" <"$run/demo.secret" >/dev/null || fail "could not add $user"
}

# curl reads the credentials from a file: they are never arguments
curl_config() {
	(umask 077 && printf 'user = "%s:%s"\n' "$user" "$(cat "$run/demo.secret")" >"$run/demo.curl")
	(umask 077 && printf 'header = "Authorization: Bearer %s"\n' "$(curl -fsS -m 10 -K "$run/demo.curl" -X POST "$base/login")" >"$run/token.curl")
}

sample() {
	[ -s "$run/sample.mp4" ] && return 0
	ffmpeg -v error -y -f lavfi -i testsrc2=size=640x360:rate=25 -f lavfi -i 'sine=frequency=440:beep_factor=4' -t 120 \
		-c:v mpeg4 -b:v 600k -c:a aac -b:a 128k -movflags +faststart "$run/sample.mp4"
}

show_progress() {
	local fid=$1 job state percent i
	for ((i = 0; i < 600; i++)); do
		job=$(curl -fsS -m 10 -K "$run/token.curl" "$base/jobs/$fid")
		state=$(jq -r .state <<<"$job")
		percent=$(jq -r '(.progress // 0) * 100 | floor' <<<"$job")
		if [ -t 1 ]; then printf '\r  %-8s %3s %%  ' "$state" "$percent"; fi
		case $state in done | failed) break ;; esac
		sleep 0.2
	done
	[ ! -t 1 ] || printf '\n'
	[ "$state" = done ] || fail "the job ended as $state: $job"
	mp3_fid=$(jq -r .mp3_fid <<<"$job")
}

check_mp3() {
	local facts want have
	facts=$(ffprobe -v error -show_entries stream=codec_name,sample_rate,channels,bit_rate -of csv=p=0 "$run/sample.mp3")
	facts=${facts%,} # behind it ffprobe has a place for ReplayGain
	[ "$facts" = mp3,44100,2,128000 ] || fail "the mp3 is not what was asked for: $facts"
	want=$(ffprobe -v error -select_streams a -show_entries stream=duration -of csv=p=0 "$run/sample.mp4")
	# decoded, since ffprobe counts the encoder's padding too
	have=$(ffmpeg -v error -nostdin -i "$run/sample.mp3" -f s16le -ac 1 - | wc -c | awk '{ printf "%.6f", $1 / 2 / 44100 }')
	awk -v a="$want" -v b="$have" 'BEGIN { d = a - b; exit !(d < 0.001 && d > -0.001) }' || fail "the mp3 lasts $have s, the video's sound $want s"
	printf '  mp3, 44.1 kHz, stereo, 128 kb/s, %s s (the video: %s s)\n' "$have" "$want"
}

demo_user
curl_config
sample
say "upload: $(stat -c %s "$run/sample.mp4") bytes"
job=$(curl -fsS -m 120 -K "$run/token.curl" -H 'Accept: application/json' -F "file=@$run/sample.mp4" "$base/upload")
fid=$(jq -r .video_fid <<<"$job")
echo "  accepted as $fid"
say "convert"
show_progress "$fid"
say "notification"
for ((i = 0; i < 100; i++)); do
	grep -F "Your mp3 is ready for download- FID: $mp3_fid" "$run/notification.log" | sed 's/^/  /' | tail -n 1 | grep . && break
	sleep 0.1
done
((i < 100)) || fail "no notification in 10 s: see $run/notification.log"
say "download"
curl -fsS -m 60 -K "$run/token.curl" -o "$run/sample.mp3" "$base/download?fid=$mp3_fid"
check_mp3
say "go on with (user $user, password in ${run#"$PWD"/}/demo.secret)"
cat <<LINES
  BASE=$base
  TOKEN=\$(curl -fsS -X POST -K ${run#"$PWD"/}/demo.curl \$BASE/login)
  curl --fail-with-body -i -X POST -H "Authorization: Bearer \$TOKEN" -F file=@clip.mp4 \$BASE/upload
  curl --fail-with-body -H "Authorization: Bearer \$TOKEN" \$BASE/jobs/VIDEO_FID
  curl -f -o clip.mp3 -H "Authorization: Bearer \$TOKEN" "\$BASE/download?fid=MP3_FID"
  curl 'http://127.0.0.1:$((ADMIN_PORTS + 1))/readyz?verbose'
LINES
