import Failures

extension Communicator {
    /// Every rank's bytes, in order of rank, on every rank; where `work` fails on any rank, all throw what the lowest
    /// of those threw.
    ///
    /// For work whose outcome ranks may differ in, as with files: no rank then waits for one that is gone.
    package func allGather(agreeing work: () throws -> [UInt8]) throws -> [[UInt8]] {
        let outcome = Result { try work() }
        let sent =
            switch outcome {
            case .success(let bytes): [0] + bytes
            case .failure(let error): [1] + encoded(error as? Failure ?? Failure(.internalError, "\(error)"))
            }
        let all = try allGather(sent)
        if let failed = all.first(where: { $0.first == 1 }) { throw decoded(Array(failed.dropFirst())) }
        return all.map { Array($0.dropFirst()) }
    }

    /// Does work on every rank; where it fails on any, all throw what the lowest of those threw.
    package func agree(_ work: () throws -> Void) throws {
        _ = try allGather(agreeing: {
            try work()
            return []
        })
    }

    /// What `work` gave on the root, on every rank; where it fails, all throw what it threw.
    package func broadcast(agreeing work: () throws -> [UInt8]) throws -> [UInt8] {
        try allGather(agreeing: { rank == 0 ? try work() : [] })[0]
    }
}

/// Code, place and message, apart from each other by zero bytes, which no line has.
private func encoded(_ failure: Failure) -> [UInt8] {
    [UInt8(clamping: failure.code.rawValue)] + (failure.location ?? "").utf8 + [0] + failure.message.utf8
}

private func decoded(_ bytes: [UInt8]) -> Failure {
    let parts = bytes.dropFirst().split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let texts = parts.map { String(decoding: $0, as: UTF8.self) }
    let location = texts.first ?? ""
    return Failure(
        ExitCode(rawValue: Int32(bytes.first ?? 0)) ?? .internalError,
        texts.count > 1 ? texts[1] : "",
        at: location.isEmpty ? nil : location
    )
}
