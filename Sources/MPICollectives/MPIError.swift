#if MPI
import CCollectives
import Synchronization

/// An MPI call that failed.
package struct MPIError: Error, Equatable, CustomStringConvertible {
    /// MPI's own code.
    package let code: Int32
    /// The collective in which it happened.
    package let call: String
    /// MPI's description of the code.
    package let text: String
    /// One line.
    package var description: String { "MPI failed in \(call): \(text) (code \(code))" }
}

/// Held by the thread that is in an MPI call.
///
/// One at a time calls; who comes to end the run may find another in a call.
private let inside = Mutex(())

/// Makes an MPI call: the only way to one, so that no code is ever ignored.
func check(_ call: String = #function, _ body: () -> Int32) throws(MPIError) {
    let code = inside.withLock { _ in body() }
    guard code != 0 else { return }
    let text = try unsafe text(capacity: 512) { buffer in
        unsafe cc_error_text(code, buffer.baseAddress, buffer.count)
        return 0
    }
    throw MPIError(code: code, call: call, text: text)
}

/// Makes an MPI call where no thread is in one.
func callIfNoneIs(_ body: () -> Void) { inside.withLockIfAvailable { _ in body() } }

/// Text that an MPI call writes, ended by NUL.
func text(
    capacity: Int,
    _ body: (UnsafeMutableBufferPointer<CChar>) -> Int32
) throws(MPIError) -> String {
    var text = [CChar](repeating: 0, count: capacity)
    let code = unsafe text.withUnsafeMutableBufferPointer { unsafe body($0) }
    try check("text") { code }
    let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: bytes, as: UTF8.self)
}
#endif
