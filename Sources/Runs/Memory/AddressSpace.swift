import CStart
package import Failures
import Tensors

/// Sets how many threads kernels use in this process.
///
/// - Throws: `Failure` 78 where a limit of the address space (`ulimit -v`) leaves no room for them: OpenBLAS, which
///   takes a buffer for each, would wait for its buffers without end.
package func useThreads(_ count: Int) throws(Failure) {
    let stack = 8 << 20
    let needed = count * (CS_BLAS_BUFFER_BYTES + stack)
    if let free = freeAddressSpace(), free < needed {
        throw Failure(
            .configuration,
            "\(mebibytes(free)) MiB of address space are left, but \(count) threads take \(mebibytes(needed)); "
                + "raise the limit, or use fewer threads",
            at: "ulimit -v"
        )
    }
    KernelThreads.set(count)
}

/// Bytes by which this process may grow, where its address space is limited.
func freeAddressSpace() -> Int? {
    let (limit, used) = (cs_address_space_limit(), cs_address_space_used())
    return limit < 0 || used < 0 ? nil : max(0, limit - used)
}
