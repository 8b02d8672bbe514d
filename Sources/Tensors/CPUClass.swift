import CKernels

/// The class of CPU whose instructions our kernels use; each has those of the classes before it.
///
/// Results have the same bits on all CPUs of a class. The variable `ONEDNN_MAX_CPU_ISA` lowers the class of a process.
package enum CPUClass: Int32, Sendable, CaseIterable {
    /// x86-64 without AVX2, or another architecture.
    case portable = 1
    case avx2, avx512, avx512BFloat16, amx

    /// Of this process.
    package static var current: CPUClass {
        guard let current = CPUClass(rawValue: ck_cpu_class()) else { preconditionFailure("a class without a name") }
        return current
    }

    /// Whether products of bf16 operands run on instructions for them, and so faster than fp32 ones; elsewhere their
    /// operands become fp32, part by part.
    ///
    /// Without the trait `OneDNN` they never do.
    package static var multipliesBFloat16: Bool { ck_bfloat16_fast() != 0 }

    /// As people call it.
    package var name: String {
        switch self {
        case .portable: Self.isX86 ? "x86-64" : "arm64"
        case .avx2: "AVX2"
        case .avx512: "AVX-512"
        case .avx512BFloat16: "AVX512-BF16"
        case .amx: "AMX"
        }
    }

    private static var isX86: Bool {
        #if arch(x86_64)
        true
        #else
        false
        #endif
    }
}
