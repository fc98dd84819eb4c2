#!/bin/sh
# A task that is asked to stop gets SIGTERM first, so its trap runs.
trap 'echo "stopped in the middle"; exit 143' TERM
echo "Fetching events for $2 days..."
echo "Sync complete: Created: 3"
