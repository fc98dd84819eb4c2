#!/bin/sh
echo "backed up with $*"
