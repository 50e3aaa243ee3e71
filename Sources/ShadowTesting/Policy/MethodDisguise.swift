// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

/// Finds requests that are really of another method than they say.
///
/// Frameworks let a form or a client behind a strict proxy name the method in a field or parameter. Whatever is named must
/// be the method of the request line; anything else, also nothing at all, is a disagreement.
enum MethodDisguise {
    /// Whether a field names the method, by the number of octets in its name first.
    static func isOverrideField(_ octets: Span<UInt8>, _ name: Range<Int>) -> Bool {
        switch name.count {
        case 13: octets.matches(name, "x-http-method")
        case 17: octets.matches(name, "x-method-override")
        case 22: octets.matches(name, "x-http-method-override")
        default: false
        }
    }

    /// Whether the value of such a field is another method than the request's.
    static func disagrees(_ octets: Span<UInt8>, _ value: Range<Int>, method: Range<Int>) -> Bool {
        guard value.count == method.count else { return true }
        for offset in 0..<value.count {
            let octet = ASCII.lowered(octets[value.lowerBound + offset])
            guard octet == ASCII.lowered(octets[method.lowerBound + offset]) else { return true }
        }
        return false
    }

    /// Whether a parameter of a query, or of form content in `parameters`, names another method.
    static func disagrees(
        _ octets: Span<UInt8>,
        query: Range<Int>,
        methodIn head: Span<UInt8>,
        _ method: Range<Int>
    ) -> Bool {
        var parameters = QueryParameters(octets, query)
        while let parameter = parameters.next() {
            guard isOverrideParameter(octets, parameter.name) else { continue }
            guard let value = parameter.value, names(octets, value, methodIn: head, method) else { return true }
        }
        return false
    }

    private static func isOverrideParameter(_ octets: Span<UInt8>, _ name: Range<Int>) -> Bool {
        // As long as the shortest, which most names are not.
        guard name.count >= 7 else { return false }
        for word in ["_method", "x-http-method-override", "$httpmethod"] where name.count >= word.utf8.count {
            var decoder = PercentDecoder(octets, name, isForm: true)
            if decoder.isWord(word) { return true }
        }
        return false
    }

    private static func names(
        _ octets: Span<UInt8>,
        _ value: Range<Int>,
        methodIn head: Span<UInt8>,
        _ method: Range<Int>
    ) -> Bool {
        var decoder = PercentDecoder(octets, value, isForm: true)
        for index in method {
            guard let next = decoder.next(), ASCII.lowered(next) == ASCII.lowered(head[index]) else {
                return false
            }
        }
        return decoder.next() == nil
    }
}
