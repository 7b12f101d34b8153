#!/bin/bash -eu
# Builds every target with the compiler, flags and engine that OSS-Fuzz chooses, and packs its seeds
# and dictionary beside it. Runs in the source tree, with CC, CFLAGS, LIB_FUZZING_ENGINE and OUT set.

objects=$(mktemp -d)
find core -name '*.c' -not -path '*/tests/*' | while read -r source; do
    # shellcheck disable=SC2086 # flags are words
    $CC $CFLAGS -std=gnu17 -I. -c "$source" -o "$objects/$(echo "$source" | tr / _).o"
done

for dictionary in fuzz/*.dict; do
    target=$(basename "$dictionary" .dict)
    # shellcheck disable=SC2086
    $CC $CFLAGS -std=gnu17 -I. -c "fuzz/$target.c" -o "$objects/$target.target"
    # shellcheck disable=SC2086
    $CXX $CXXFLAGS "$objects/$target.target" "$objects"/*.o $LIB_FUZZING_ENGINE -o "$OUT/$target"
    cp "$dictionary" "$OUT/"
    (cd "fuzz/seeds/$target" && python3 -m zipfile -c "$OUT/${target}_seed_corpus.zip" ./*)
done
