import CKernels

/// Where S packed sequences lie among N rows.
///
/// Sequences of a family begin alike: the first one has all its rows, and the others that follow it read what they share among
/// its rows (Wang & Hegde 2024, arXiv 2410.20305, with families of any size).
package struct SequenceRows: Equatable, Sendable {
    /// Where each sequence's own rows start, and N last: S + 1 numbers.
    package let offsets: [Int32]
    /// How many rows before its own each sequence shares with its family's first one, S numbers; 0: it is a first one itself.
    package let shared: [Int32]

    /// States where the sequences are.
    package init(offsets: [Int32], shared: [Int32]) {
        precondition(
            offsets.first == 0 && zip(offsets, offsets.dropFirst()).allSatisfy(<=),
            "offsets must ascend from 0"
        )
        precondition(shared.count == offsets.count - 1, "\(shared.count) sequences with \(offsets.count) offsets")
        var family: Int32 = 0
        for (place, rows) in shared.enumerated() {
            if rows == 0 { family = offsets[place + 1] - offsets[place] }
            precondition(0...family ~= rows, "sequence \(place) shares \(rows) of \(family) rows")
        }
        self.offsets = offsets
        self.shared = shared
    }

    /// Sequences that share nothing.
    package init(offsets: [Int32]) {
        self.init(offsets: offsets, shared: Array(repeating: 0, count: max(0, offsets.count - 1)))
    }

    /// N.
    package var rows: Int { Int(offsets[offsets.count - 1]) }

    /// Calls `body` with what the kernels take.
    @unsafe func withKernelArgument(_ body: (UnsafePointer<ck_sequences>) -> Void) {
        unsafe offsets.withUnsafeBufferPointer { offsets in
            unsafe shared.withUnsafeBufferPointer { shared in
                var sequences = unsafe ck_sequences(
                    offsets: offsets.baseAddress,
                    shared: shared.baseAddress,
                    count: shared.count
                )
                unsafe body(&sequences)
            }
        }
    }
}
