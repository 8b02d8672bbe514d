package import Failures

/// The fields of one object as a program expects them; every complaint names file, key path, wish and find.
///
/// ```swift
/// let config = try JSONFields(value, at: "config.json", code: .configuration)
/// let layers = try config.int("n_layer", in: 1...10_000)
/// let inner = try config.optionalInt("n_inner", in: 1...1_000_000)   // nil where missing or null
/// ```
package struct JSONFields: Sendable {
    /// The members.
    package let object: JSONObject
    /// The file, or `file:line`.
    package let location: String
    /// Keys from the document down to this object, joined by dots; empty for the document itself.
    package let path: String
    /// The exit code of complaints about fields; a document that has none is bad data.
    package let code: ExitCode

    /// Takes a value that must be an object.
    package init(_ value: JSONValue, at location: String, path: String = "", code: ExitCode = .badData) throws(Failure)
    {
        guard case .object(let object) = value else {
            let found = "expected an object, found \(value.kind)"
            throw path.isEmpty
                ? Failure(.badData, found, at: location) : Failure(code, "'\(path)': \(found)", at: location)
        }
        self.object = object
        self.location = location
        self.path = path
        self.code = code
    }

    /// An integer within the range; `4.0` is none.
    package func int(_ key: String, in range: ClosedRange<Int> = Int.min...Int.max) throws(Failure) -> Int {
        try integer(key, required(key), in: range)
    }

    /// An integer within the range, or nil where the key is missing or null.
    package func optionalInt(_ key: String, in range: ClosedRange<Int> = Int.min...Int.max) throws(Failure) -> Int? {
        guard let value = present(key) else { return nil }
        return try integer(key, value, in: range)
    }

    /// A number within the range, integers included.
    package func double(
        _ key: String,
        in range: ClosedRange<Double> = -Double.infinity...Double.infinity
    ) throws(Failure) -> Double {
        try number(key, required(key), in: range)
    }

    /// A number within the range, or nil where the key is missing or null.
    package func optionalDouble(
        _ key: String,
        in range: ClosedRange<Double> = -Double.infinity...Double.infinity
    ) throws(Failure) -> Double? {
        guard let value = present(key) else { return nil }
        return try number(key, value, in: range)
    }

    /// A string.
    package func string(_ key: String) throws(Failure) -> String {
        let value = try required(key)
        guard let string = value.string else { throw mismatch(key, "a string", value) }
        return string
    }

    /// A string, or nil where the key is missing or null.
    package func optionalString(_ key: String) throws(Failure) -> String? {
        guard present(key) != nil else { return nil }
        return try string(key)
    }

    /// A boolean.
    package func bool(_ key: String) throws(Failure) -> Bool {
        let value = try required(key)
        guard let bool = value.bool else { throw mismatch(key, "true or false", value) }
        return bool
    }

    /// A boolean, or nil where the key is missing or null.
    package func optionalBool(_ key: String) throws(Failure) -> Bool? {
        guard present(key) != nil else { return nil }
        return try bool(key)
    }

    /// An array.
    package func array(_ key: String) throws(Failure) -> [JSONValue] {
        let value = try required(key)
        guard let array = value.array else { throw mismatch(key, "an array", value) }
        return array
    }

    /// An array, or nil where the key is missing or null.
    package func optionalArray(_ key: String) throws(Failure) -> [JSONValue]? {
        guard present(key) != nil else { return nil }
        return try array(key)
    }

    /// An array of integers within the range.
    package func ints(_ key: String, in range: ClosedRange<Int> = Int.min...Int.max) throws(Failure) -> [Int] {
        var integers: [Int] = []
        for (i, element) in try array(key).enumerated() {
            integers.append(try integer("\(key)[\(i)]", element, in: range))
        }
        return integers
    }

    /// An array of numbers within the range, integers included.
    package func doubles(
        _ key: String,
        in range: ClosedRange<Double> = -Double.infinity...Double.infinity
    ) throws(Failure) -> [Double] {
        var numbers: [Double] = []
        for (i, element) in try array(key).enumerated() {
            numbers.append(try number("\(key)[\(i)]", element, in: range))
        }
        return numbers
    }

    /// An array of strings.
    package func strings(_ key: String) throws(Failure) -> [String] {
        var strings: [String] = []
        for (i, element) in try array(key).enumerated() {
            guard let string = element.string else { throw mismatch("\(key)[\(i)]", "a string", element) }
            strings.append(string)
        }
        return strings
    }

    /// The fields of an object within this one.
    package func fields(_ key: String) throws(Failure) -> JSONFields {
        try JSONFields(required(key), at: location, path: pathed(key), code: code)
    }

    /// The fields of an object within this one, or nil where the key is missing or null.
    package func optionalFields(_ key: String) throws(Failure) -> JSONFields? {
        guard present(key) != nil else { return nil }
        return try fields(key)
    }

    /// The fields of every object of an array.
    package func fieldsList(_ key: String) throws(Failure) -> [JSONFields] {
        var list: [JSONFields] = []
        for (i, element) in try array(key).enumerated() {
            list.append(try JSONFields(element, at: location, path: "\(pathed(key))[\(i)]", code: code))
        }
        return list
    }

    /// The complaint that a key's value is not as it must be, for checks beyond those here.
    package func failure(_ key: String, _ reason: String) -> Failure {
        Failure(code, "'\(pathed(key))' \(reason)", at: location)
    }

    private func present(_ key: String) -> JSONValue? {
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    private func required(_ key: String) throws(Failure) -> JSONValue {
        guard let value = object[key] else { throw failure(key, "is missing") }
        return value
    }

    private func integer(_ key: String, _ value: JSONValue, in range: ClosedRange<Int>) throws(Failure) -> Int {
        guard let integer = value.integer else { throw mismatch(key, "an integer", value) }
        guard range.contains(integer) else {
            throw failure(key, "must be in \(range.lowerBound)...\(range.upperBound), found \(integer)")
        }
        return integer
    }

    private func number(_ key: String, _ value: JSONValue, in range: ClosedRange<Double>) throws(Failure) -> Double {
        guard let number = value.number else { throw mismatch(key, "a number", value) }
        guard range.contains(number) else {
            throw failure(key, "must be in \(range.lowerBound)...\(range.upperBound), found \(number)")
        }
        return number
    }

    private func mismatch(_ key: String, _ wish: String, _ found: JSONValue) -> Failure {
        failure(key, "must be \(wish), found \(found.kind)")
    }

    private func pathed(_ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }
}
