import Foundation
package import Tensors

/// A vector of a training state, or the part of one that this rank holds, in place: saving reads `values`, resuming
/// fills them.
///
/// Several parts of one vector carry its name.
package struct StateVector {
    /// The vector's name in its state.
    package let name: String
    /// Elements of the whole vector.
    package let length: Int
    /// The element of the whole vector that `values` begins with.
    package let start: Int
    /// float32.
    package let values: Tensor
    /// The elements of the whole vector that `values` are.
    package var range: Range<Int> { start..<start + values.count }
    /// Whether every rank holds the whole vector; otherwise each holds a part, which may be all of it or nothing.
    package let isReplicated: Bool

    /// A whole vector, the same on every rank.
    package init(_ name: String, _ values: Tensor) {
        self.init(name: name, length: values.count, start: 0, values: values, isReplicated: true)
    }

    /// Elements `start ..< start + values.count` of a vector of `length`, which no other rank holds.
    package init(_ name: String, part values: Tensor, from start: Int, of length: Int) {
        precondition(start >= 0 && start + values.count <= length, "a part lies within its vector")
        self.init(name: name, length: length, start: start, values: values, isReplicated: false)
    }

    private init(name: String, length: Int, start: Int, values: Tensor, isReplicated: Bool) {
        self.name = name
        self.length = length
        self.start = start
        self.values = values
        self.isReplicated = isReplicated
    }

    /// The same vector under another name.
    package func named(_ name: String) -> StateVector {
        StateVector(name: name, length: length, start: start, values: values, isReplicated: isReplicated)
    }
}

/// Where training stands at a step boundary: all that it needs to go on from there as if nothing had happened.
///
/// Records are numbers that are the same on every rank; vectors are too large for that. Where one part of a program
/// trains for another, its state lies under a name within the other's: `mixture/em`.
package struct TrainingState {
    /// JSON by name.
    package private(set) var records: [(name: String, json: [UInt8])] = []
    /// The vectors, or this rank's parts of them.
    package private(set) var vectors: [StateVector] = []
    /// What must have the same bits on every rank, besides vectors that each rank holds whole.
    package var replicas: [Tensor] = []

    /// Bytes of all vectors together, whichever ranks hold them.
    package var vectorBytes: Int {
        Dictionary(vectors.map { ($0.name, 4 * $0.length) }, uniquingKeysWith: max).values.reduce(0, +)
    }

    /// An empty state.
    package init() {}

    /// A state of vectors, with what must be the same on all ranks besides.
    package init(_ vectors: [StateVector], replicas: [Tensor] = []) {
        self.vectors = vectors
        self.replicas = replicas
    }

    /// A state of a record and the vectors that belong to it, with what must be the same on all ranks besides.
    package init(_ record: some Encodable, as name: String, _ vectors: [StateVector], replicas: [Tensor] = []) throws {
        self.vectors = vectors
        self.replicas = replicas
        try add(record, as: name)
    }

    /// Adds a record; numbers that are not finite are kept too.
    package mutating func add(_ record: some Encodable, as name: String) throws {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf",
            negativeInfinity: "-inf",
            nan: "nan"
        )
        records.append((name, Array(try encoder.encode(record))))
    }

    /// This state and another one, whose names are put below `name`.
    package func adding(_ inner: TrainingState, under name: String) -> TrainingState {
        var state = self
        state.records += inner.records.map { ("\(name)/\($0.name)", $0.json) }
        state.vectors += inner.vectors.map { $0.named("\(name)/\($0.name)") }
        state.replicas += inner.replicas
        return state
    }
}

/// Called at every step boundary on every rank; it asks for the state where it saves it, and ends the training by
/// throwing.
package typealias StepBoundary = (_ state: @escaping () throws -> TrainingState) throws -> Void

/// A training state that was saved: what `TrainingState` was given, in another process, perhaps on other ranks.
package protocol SavedState {
    /// The JSON of a record; nil where the state has none of that name.
    func json(of record: String) throws -> [UInt8]?
    /// Fills vectors that the state has, or parts of them.
    func fill(_ vectors: [StateVector]) throws
    /// The error of a record that is none of the training that it is of.
    func damaged(_ record: String) -> any Error
}

extension SavedState {
    /// A record; nil where the state has none of that name.
    ///
    /// - Parameter isValid: whether its numbers are those of this training.
    package func record<Record: Decodable>(
        _ name: String,
        as type: Record.Type,
        where isValid: (Record) -> Bool = { _ in true }
    ) throws -> Record? {
        guard let json = try json(of: name) else { return nil }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf",
            negativeInfinity: "-inf",
            nan: "nan"
        )
        guard let record = try? decoder.decode(type, from: Data(json)), isValid(record) else { throw damaged(name) }
        return record
    }

    /// The part of the state that lies under a name.
    package func under(_ name: String) -> any SavedState { SavedPart(whole: self, name: name) }
}

/// What lies under a name in a saved state.
private struct SavedPart: SavedState {
    let whole: any SavedState
    let name: String

    func json(of record: String) throws -> [UInt8]? { try whole.json(of: "\(name)/\(record)") }

    func damaged(_ record: String) -> any Error { whole.damaged("\(name)/\(record)") }

    func fill(_ vectors: [StateVector]) throws {
        try whole.fill(vectors.map { $0.named("\(name)/\($0.name)") })
    }
}
