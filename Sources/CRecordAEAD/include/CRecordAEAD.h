// Wingmirror · Apache-2.0

#ifndef WINGMIRROR_C_RECORD_AEAD_H
#define WINGMIRROR_C_RECORD_AEAD_H

#include <stddef.h>
#include <stdint.h>

/// An AEAD with its key, made ready for any number of records: `EVP_AEAD_CTX` of the BoringSSL that swift-crypto brings along.
typedef struct wingmirror_aead wingmirror_aead;

/// AES-128-GCM or AES-256-GCM, by the length of the key; NULL for any other length.
wingmirror_aead *wingmirror_aead_aes_gcm(const uint8_t *key, size_t key_length);

/// ChaCha20-Poly1305; NULL for a key that has not 32 octets.
wingmirror_aead *wingmirror_aead_chacha20_poly1305(const uint8_t *key, size_t key_length);

/// Gives the memory back, with zeros in it.
void wingmirror_aead_free(wingmirror_aead *aead);

/// Opens `sealed`, ciphertext and tag behind it, into `plaintext`, which has room for `room` octets; changes nothing of `aead`.
/// Returns 1, or 0 where it is not authentic or does not fit.
int wingmirror_aead_open(const wingmirror_aead *aead, uint8_t *plaintext, size_t room, const uint8_t *nonce,
                         size_t nonce_length, const uint8_t *sealed, size_t sealed_length, const uint8_t *additional,
                         size_t additional_length);

/// AES with its key, made ready for single blocks.
typedef struct wingmirror_block_cipher wingmirror_block_cipher;

/// AES-128 or AES-256, by the length of the key; NULL for any other length, or without memory.
wingmirror_block_cipher *wingmirror_block_cipher_aes(const uint8_t *key, size_t key_length);

/// Gives the memory back, with zeros in it.
void wingmirror_block_cipher_free(wingmirror_block_cipher *cipher);

/// Encrypts the 16 octets at `block` into the 16 at `encrypted`; changes nothing of `cipher`.
void wingmirror_block_cipher_encrypt(const wingmirror_block_cipher *cipher, const uint8_t *block, uint8_t *encrypted);

#endif
