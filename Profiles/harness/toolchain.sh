#!/bin/sh
# Fetches a CUDA 13.0 compiler and the headers the harness needs from PyPI into DIR: no GPU, no root, about 900 MB
# downloaded and 250 MB kept. The versions match torch 2.11+cu130, whose libraries the binary is meant to load.
set -eu
dir=${1:?usage: toolchain.sh DIR}
python=${PYTHON:-python3}
if [ -e "$dir/complete" ]; then exit 0; fi
whl=$dir/whl
mkdir -p "$whl"
"$python" -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: -d "$whl" \
  nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-runtime==13.0.96 \
  nvidia-cuda-cccl==13.0.85 nvidia-nvml-dev==13.0.87 nvidia-cublas==13.1.0.3 nvidia-cudnn-cu13==9.19.0.56 \
  nvidia-cudnn-frontend==1.18.0 nvidia-cutlass==4.2.0.0

# unpack WHEEL MEMBERS...: python's zipfile, so that unzip need not be installed.
unpack() {
  "$python" - "$dir" "$@" <<'PY'
import fnmatch, glob, sys, zipfile
root, wheel, keep = sys.argv[1], sys.argv[2], sys.argv[3:]
for path in glob.glob(f"{root}/whl/{wheel}-*.whl"):
    with zipfile.ZipFile(path) as z:
        for name in z.namelist():
            if any(fnmatch.fnmatch(name, k) for k in keep) and "libnvvm.so" not in name:
                z.extract(name, root)
PY
}
for wheel in nvidia_cuda_nvcc nvidia_cuda_crt nvidia_nvvm nvidia_cuda_runtime nvidia_cuda_cccl nvidia_nvml_dev; do
  unpack $wheel 'nvidia/*'
done
unpack nvidia_cublas 'nvidia/cu13/include/*'
unpack nvidia_cudnn_cu13 'nvidia/cudnn/include/*'
unpack nvidia_cudnn_frontend 'include/*'
unpack nvidia_cutlass 'cutlass_library/source/include/*' 'cutlass_library/source/tools/util/include/*'
chmod +x "$dir"/nvidia/cu13/bin/* "$dir"/nvidia/cu13/nvvm/bin/*
rm -rf "$whl"
touch "$dir/complete"
