package import Failures
package import Preferences
import StrictJSON
import StrictYAML

extension KeyType<FieldMapping?> {
    /// Where our fields are in a foreign file; null: under our own names.
    static var fields: Self {
        KeyType(
            name: "mapping, list of mappings, or null",
            nullable: true,
            show: { $0?.json.encoded() ?? "null" },
            convert: { $0.isNull ? .some(nil) : (try? FieldMapping($0.json)).map { .some($0) } },
            describe: { node in
                do throws(Failure) {
                    _ = try FieldMapping(node.json)
                    return node.kind
                } catch {
                    return "this one: \(error.message)"
                }
            }
        )
    }
}

/// The mapping that a text states as YAML, in the form of `data.fields`.
///
/// - Throws: `Failure` 64 that says what is wrong with it.
package func fieldMapping(yaml text: String) throws(Failure) -> FieldMapping {
    let node: YAMLNode
    do {
        node = try readYAML("fields: \(text)", file: "--fields")
    } catch {
        throw Failure(.usage, error.problems[0].message, at: "--fields")
    }
    guard case .mapping(let members) = node.content, members.count == 1 else {
        throw Failure(.usage, "needs one mapping, as {prompt: question, user_id: worker}", at: "--fields")
    }
    do throws(Failure) {
        return try FieldMapping(members[0].value.json)
    } catch {
        throw Failure(.usage, error.message, at: "--fields")
    }
}
