/// The members of a JSON object, in their order; no two keys have the same bytes.
package struct JSONObject: Sendable, Equatable {
    /// Up to this many members a linear search is faster than a table.
    private static let indexedFrom = 12

    /// The members in order.
    package private(set) var members: [(key: String, value: JSONValue)] = []
    /// Position of each key; empty while there are few members.
    private var index: [ByteString: Int] = [:]

    /// An object without members.
    package init() {}

    /// Takes over parsed members, or returns the position of the first member whose key occurred before.
    static func make(_ members: [(key: String, value: JSONValue)]) -> Result<JSONObject, DuplicateKey> {
        var object = JSONObject()
        object.members = members
        if members.count >= indexedFrom {
            if let position = object.buildIndex() { return .failure(DuplicateKey(position: position)) }
        } else {
            for later in members.indices {
                for earlier in 0..<later
                where members[earlier].key.utf8.elementsEqual(members[later].key.utf8) {
                    return .failure(DuplicateKey(position: later))
                }
            }
        }
        return .success(object)
    }

    /// Number of members.
    package var count: Int { members.count }

    /// The keys in order.
    package var keys: [String] { members.map(\.key) }

    /// The value of a key, compared byte by byte; nil where there is none.
    ///
    /// Setting replaces the value in its place or appends a member; setting nil removes it.
    package subscript(key: String) -> JSONValue? {
        get { position(of: key).map { members[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?):
                members[position].value = value
            case (let position?, nil):
                members.remove(at: position)
                index = [:]
                if members.count >= Self.indexedFrom { buildIndex() }
            case (nil, let value?):
                members.append((key, value))
                if members.count > Self.indexedFrom {
                    index[ByteString(key)] = members.count - 1
                } else if members.count == Self.indexedFrom {
                    buildIndex()
                }
            case (nil, nil):
                break
            }
        }
    }

    /// Whether both have the same members in the same order.
    package static func == (a: JSONObject, b: JSONObject) -> Bool {
        a.members.count == b.members.count
            && zip(a.members, b.members).allSatisfy { ByteString($0.key) == ByteString($1.key) && $0.value == $1.value }
    }

    private func position(of key: String) -> Int? {
        if members.count >= Self.indexedFrom { return index[ByteString(key)] }
        return members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
    }

    @discardableResult
    private mutating func buildIndex() -> Int? {
        index.reserveCapacity(members.count)
        for (position, member) in members.enumerated()
        where index.updateValue(position, forKey: ByteString(member.key)) != nil {
            return position
        }
        return nil
    }
}

/// Two members of an object have the same key.
struct DuplicateKey: Error {
    /// Position of the later one.
    let position: Int
}
