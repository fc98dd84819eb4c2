#!/bin/sh
echo "syncing $2 days in $(basename "$PWD")"
