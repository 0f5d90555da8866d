#!/usr/bin/env bash
# The check for a machine with a card: builds the program over the CUDA packages, runs it, keeps its report. docs/cuda.md explains.
#   tools/gpu-check/run.sh                            on a machine with card, SDK and working tree; at most 8 minutes
#   tools/gpu-check/run.sh --device cpu               every part in small, on any machine
#   tools/gpu-check/run.sh --publish DIR              only the program, with all it needs but libtorch, for a machine without an SDK
# A card needs a libtorch for CUDA, for models as for training: DISTILL_LIBTORCH names the torch/lib of an installed PyTorch, or
# Torch=cuda in the environment takes the package TorchSharp-cuda-linux, which not every feed has.
set -eu
cd "$(dirname -- "${BASH_SOURCE[0]}")/../.."

torch=${Torch:-cpu}
[ -n "${DISTILL_LIBTORCH:-}" ] && torch=external
if [ "${1:-}" = --publish ]; then
  dotnet publish pipeline/Distill.GpuCheck -c Release -r linux-x64 --self-contained -p:Accelerator=cuda -p:Torch=external -o "$2"
  echo "Copy $2 to the machine with the card; there: DISTILL_LIBTORCH=.../torch/lib $2/gpu-check"
  exit
fi

case " $* " in
  *" --device cpu "*) ;;
  *)
    if [ "$torch" = cpu ]; then
      echo "A card needs a libtorch for CUDA: set DISTILL_LIBTORCH to the torch/lib of a PyTorch for CUDA, or Torch=cuda where the feed" \
        "has TorchSharp-cuda-linux. Without a card: --device cpu (docs/cuda.md)." >&2
      exit 2
    fi ;;
esac

folder=${TMPDIR:-/tmp}/distill-gpu-check
dotnet publish pipeline/Distill.GpuCheck -c Release -r linux-x64 --self-contained -p:Accelerator=cuda -p:Torch=$torch -o "$folder" -v quiet -nologo >&2
exec "$folder/gpu-check" "$@"
