from threadpoolctl import threadpool_info

from morphface.fit.shared.threads import one_thread


def blas_threads():
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {pool["num_threads"] for pool in pools if "scipy" in pool["filepath"]}


def test_matrix_products_get_one_thread_and_their_old_number_back():
    before = blas_threads()
    with one_thread():
        assert blas_threads() <= {1}
    assert blas_threads() == before
