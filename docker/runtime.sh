#!/bin/sh
# Runs inside an image's build: runtime.sh NAME PACKAGE...: installs the libraries, checks them, writes /usr/share/tonearm/sbom.spdx.json.
set -eu
name=$1
shift
before=$(dpkg-query -W -f='${Package}\n' | sort)
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null

# the revisions that hold the fixes for what a peer can send (GridFS, BSON, SASL; AMQP frames; JWT; HTTP bodies)
least() {
	have=$(dpkg-query -W -f='${Version}' "$1" 2>/dev/null) || return 0
	dpkg --compare-versions "$have" ge "$2" || { echo "$1 $have is older than $2, which holds security fixes" >&2; exit 1; }
}
least libmongoc-1.0-0 1.23.1-1+deb12u3
least librabbitmq4 0.11.0-1+deb12u3
least libjwt0 1.10.2-1+deb12u1
least libmicrohttpd12 0.9.75-6
# MySQL 8's passwords need this plugin
case " $* " in
*" libmariadb3 "*) test -e /usr/lib/*/libmariadb3/plugin/caching_sha2_password.so ;;
esac

mkdir -p /usr/share/tonearm
dpkg-query -W -f='${Package} ${Version} ${Architecture}\n' | awk -v name="$name" -v when="$(date -u +%Y-%m-%dT%H:%M:%SZ)" '
BEGIN {
	printf "{\"spdxVersion\": \"SPDX-2.3\", \"dataLicense\": \"CC0-1.0\", \"SPDXID\": \"SPDXRef-DOCUMENT\", \"name\": \"tonearm-%s\",\n", name
	printf " \"documentNamespace\": \"urn:tonearm:%s:%s\",\n", name, when
	printf " \"creationInfo\": {\"created\": \"%s\", \"creators\": [\"Tool: tonearm-runtime.sh\"]},\n \"packages\": [\n", when
	printf "  {\"SPDXID\": \"SPDXRef-tonearm\", \"name\": \"tonearm-%s\", \"downloadLocation\": \"NOASSERTION\", \"licenseDeclared\": \"MIT\", \"filesAnalyzed\": false}", name
	relations = ""
}
{
	id = $1; gsub(/[^a-zA-Z0-9.-]/, "-", id); purl = $2; gsub(/:/, "%3A", purl); gsub(/[+]/, "%2B", purl)
	printf ",\n  {\"SPDXID\": \"SPDXRef-deb-%s\", \"name\": \"%s\", \"versionInfo\": \"%s\", \"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false, \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\", \"referenceLocator\": \"pkg:deb/debian/%s@%s?arch=%s\"}]}", id, $1, $2, $1, purl, $3
	relations = relations sprintf(",\n  {\"spdxElementId\": \"SPDXRef-tonearm\", \"relationshipType\": \"DEPENDS_ON\", \"relatedSpdxElement\": \"SPDXRef-deb-%s\"}", id)
}
END {
	printf "\n ],\n \"relationships\": [\n  {\"spdxElementId\": \"SPDXRef-DOCUMENT\", \"relationshipType\": \"DESCRIBES\", \"relatedSpdxElement\": \"SPDXRef-tonearm\"}%s\n ]}\n", relations
}' >/usr/share/tonearm/sbom.spdx.json
added=$(dpkg-query -W -f='${Package}\n' | sort | printf '%s\n' "$before" "$(cat)" | sort | uniq -u | wc -l)
echo "$name: $added packages over the base"
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /var/log/*.log /var/log/apt /runtime.sh
