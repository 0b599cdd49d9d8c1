#include <cblas.h>
#include <stddef.h>

// Debian's libopenblas-dev ships cblas.h but no lapacke.h; libopenblas.so exports LAPACK's Fortran symbols.
// Arrays are column-major, every argument is a pointer, and each character argument adds its length at the end.

/// Solves the symmetric positive definite system A x = b by Cholesky factorisation, in place.
void dposv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda, double *b,
            const int *ldb, int *info, size_t uplo_length);
