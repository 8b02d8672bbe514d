#!/usr/bin/env bash
# Pictures of a report, as a reader sees its beginning: docs/report.png, report-narrow.png and report-wide.png (dark).
#
#   bash docs/report.sh runs/quickstart/report.html
#
# Needs chromium, and pngquant to make them small.
set -euo pipefail
page=$(realpath "${1:?give the report}")
cd "$(dirname "$0")"

# picture NAME WIDTH HEIGHT [OPTION…]
picture() {
    chromium --headless --no-sandbox --hide-scrollbars --window-size="$2,$3" "${@:4}" --screenshot="$PWD/$1.png" "file://$page"
    pngquant --force --ext .png 64 "$1.png"
}
picture report 900 1800
picture report-narrow 390 1900
picture report-wide 1600 1500 --blink-settings=preferredColorScheme=0
