// Prints what llama.cpp reads from an importance matrix file: a line of facts, its datasets, and for every entry its
// name, its counts, and the bits of its sums. imatrix_golden.py builds it with llama.cpp's own imatrix-loader.cpp.
#include <cstdio>
#include <cstring>

#include "imatrix-loader.h"
#include "log.h"

// The loader's log is not wanted, and the rest of llama.cpp's common code neither.
int common_log_get_verbosity_thold(void) { return -1; }
struct common_log * common_log_main() { return nullptr; }
void common_log_add(struct common_log *, enum ggml_log_level, const char *, ...) {}

int main(int argc, char ** argv) {
    common_imatrix matrix;
    if (argc != 2 || !common_imatrix_load(argv[1], matrix) || !(matrix.is_legacy || matrix.has_metadata)) {
        puts("refused");
        return 0;
    }
    printf("%d %d\n", matrix.is_legacy, matrix.chunk_count);
    for (const auto & dataset : matrix.datasets) {
        printf("%s\n", dataset.c_str());
    }
    for (const auto & [name, entry] : matrix.entries) {
        printf("\t%s\t", name.c_str());
        for (const auto count : entry.counts) {
            printf(" %lld", static_cast<long long>(count));
        }
        printf("\t");
        for (const float sum : entry.sums) {
            unsigned bits;
            std::memcpy(&bits, &sum, sizeof bits);
            printf(" %u", bits);
        }
        printf("\n");
    }
    return 0;
}
