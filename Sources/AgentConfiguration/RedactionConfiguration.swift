// Wingmirror · Apache-2.0

import OctetText
import TrafficPipeline

/// What is taken out of records before they are written.
package struct RedactionConfiguration: Sendable, Equatable {
    /// The names of the fields whose values are replaced, in lower case.
    package var fields = RecordOptions.credentialFields
    /// What the replaced values of recordings are made of; empty for something new each time.
    ///
    /// With a secret, equal values are equal across recordings and the same savefile gives the same recording.
    package var secret = ""
    /// Whether values of parameters that carry credentials are replaced: in targets, in fields that hold URLs, in forms.
    ///
    /// Unless it is said, those of recordings are, which are made to be passed on, and those of records are as they were sent.
    package var parameters: Bool?
}

extension RedactionConfiguration {
    /// Reads the section `redaction`; its fields are added to those that are redacted always.
    init(_ section: ConfigurationSection) {
        self.init()
        var named: [String] = []
        section.read("fields", into: &named, as: .list(of: .fieldName))
        fields += named.filter { !RecordOptions.credentialFields.contains($0) }
        section.read("secret", into: &secret, as: .text)
        let flag = ConfigurationValue<Bool>.flag
        section.read("parameters", into: &parameters, as: flag.map(flag.expectation) { .some($0) })
    }
}

extension ConfigurationValue where Value == String {
    /// A field name: a token (RFC 9110 §5.1), in lower case whatever the file has.
    static var fieldName: Self {
        ConfigurationValue<String>.text.map("a field name such as x-api-key") { text in
            let isToken = !text.isEmpty && text.utf8.allSatisfy(ASCII.isTokenOctet)
            return isToken ? text.lowercased() : nil
        }
    }

    /// A field name as above, or nothing for none.
    static var fieldNameOrNone: Self {
        ConfigurationValue<String>.text.map("a field name such as x-api-key, or \"\" for none") { text in
            text.utf8.allSatisfy(ASCII.isTokenOctet) ? text.lowercased() : nil
        }
    }
}
