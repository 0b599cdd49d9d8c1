#!/bin/sh
# stubs.sh DIR OBJECTS...: link-time stand-ins for libraries that need not be there to build. Each exports just the symbols
# that the objects need, under the real library's name, so that the binary loads the real one where it runs.
set -eu
out=$1
shift
mkdir -p "$out"
for library in cublasLt.so.13:cublasLt nvidia-ml.so.1:nvml cudnn.so.9:cudnn; do
  file=lib${library%%:*} prefix=${library##*:}
  nm -u "$@" | awk -v p="^$prefix" '$NF ~ p { print "void " $NF "(void) {}" }' | sort -u |
    "${CC:-gcc}" -shared -fPIC -Wl,-soname,"$file" -o "$out/$file" -x c -
  ln -sf "$file" "$out/${file%%.so*}.so"
done
