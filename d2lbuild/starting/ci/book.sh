#!/usr/bin/env bash
# Checks the book, runs what has changed, puts the pages together, and publishes them where PUBLISH says. Made by
# `<<command>>`; it does on one machine what the workflow for GitHub does on several.
#
#   CHANGED_SINCE=origin/main ci/book.sh     run only what a change since then concerns
#   SHARD=2/4 ci/book.sh run                 the second of four parts, on a machine of its own; then, with all results:
#   ci/book.sh pages
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

run() {
  local failed=0 framework frameworks=(<<names>>)
  for framework in "${frameworks[@]}"; do
    d2lbuild build --framework "$framework" --shard "${SHARD:-1/1}" --to none \
      --report "report-$framework.html" --report "junit-$framework.xml" \
      ${CHANGED_SINCE:+--changed-since "$CHANGED_SINCE"} || failed=1
  done
  d2lbuild cache export "results-${SHARD%%/*}.zip"
  return "$failed"
}

pages() {
  local part
  for part in results-*.zip; do
    if [ -f "$part" ]; then d2lbuild cache import "$part"; fi
  done
  d2lbuild build --framework all --no-execute --strict --to html,notebooks
  if [ -n "${PUBLISH:-}" ]; then d2lbuild deploy "$PUBLISH" --framework all; fi
}

SHARD="${SHARD:-1/1}"
case "${1:-all}" in
  run) run ;;
  pages) pages ;;
  all) d2lbuild check && run && pages ;;
  *) echo "usage: ci/book.sh [run|pages]" >&2 && exit 2 ;;
esac
