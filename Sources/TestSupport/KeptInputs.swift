// Wingmirror · Apache-2.0

import FoundationEssentials

/// Inputs that once failed, as files in `Fixtures/failures` of a parser's tests; each is tried again in every run.
package enum KeptInputs {
    /// An input and the name of its file.
    package struct Input: Sendable {
        /// The file's name.
        package let name: String
        /// Where it is.
        package let path: String
        /// What is in it.
        package let octets: [UInt8]
    }

    /// The inputs of the tests in the folder of `file`, ordered by name, without the README that says where they are from.
    ///
    /// - Throws: That the folder or a file cannot be read.
    package static func all(besideFile file: String) throws -> [Input] {
        let folder = (file.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }) + "/Fixtures/failures"
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            .filter { $0 != "README.md" }
            .map { name in
                let data = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
                return Input(name: name, path: "\(folder)/\(name)", octets: Array(data))
            }
    }
}
