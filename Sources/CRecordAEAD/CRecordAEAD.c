// Wingmirror · Apache-2.0

#include "CRecordAEAD.h"

#include <CCryptoBoringSSL_aead.h>
#include <CCryptoBoringSSL_aes.h>
#include <CCryptoBoringSSL_err.h>
#include <CCryptoBoringSSL_mem.h>

static wingmirror_aead *with_key(const EVP_AEAD *aead, const uint8_t *key, size_t key_length) {
    if (key_length != EVP_AEAD_key_length(aead)) return NULL;
    return (wingmirror_aead *)EVP_AEAD_CTX_new(aead, key, key_length, EVP_AEAD_DEFAULT_TAG_LENGTH);
}

wingmirror_aead *wingmirror_aead_aes_gcm(const uint8_t *key, size_t key_length) {
    return with_key(key_length == 16 ? EVP_aead_aes_128_gcm() : EVP_aead_aes_256_gcm(), key, key_length);
}

wingmirror_aead *wingmirror_aead_chacha20_poly1305(const uint8_t *key, size_t key_length) {
    return with_key(EVP_aead_chacha20_poly1305(), key, key_length);
}

void wingmirror_aead_free(wingmirror_aead *aead) { EVP_AEAD_CTX_free((EVP_AEAD_CTX *)aead); }

int wingmirror_aead_open(const wingmirror_aead *aead, uint8_t *plaintext, size_t room, const uint8_t *nonce,
                         size_t nonce_length, const uint8_t *sealed, size_t sealed_length, const uint8_t *additional,
                         size_t additional_length) {
    size_t length = 0;
    int opened = EVP_AEAD_CTX_open((const EVP_AEAD_CTX *)aead, plaintext, &length, room, nonce, nonce_length, sealed,
                                   sealed_length, additional, additional_length);
    // A record under other keys is no error of the program: nothing of it is kept for whoever looks at the queue.
    if (!opened) ERR_clear_error();
    return opened;
}

struct wingmirror_block_cipher {
    AES_KEY key;
};

wingmirror_block_cipher *wingmirror_block_cipher_aes(const uint8_t *key, size_t key_length) {
    if (key_length != 16 && key_length != 32) return NULL;
    wingmirror_block_cipher *cipher = OPENSSL_malloc(sizeof *cipher);
    if (cipher) AES_set_encrypt_key(key, (unsigned)key_length * 8, &cipher->key);
    return cipher;
}

// OPENSSL_free overwrites with zeros what it frees.
void wingmirror_block_cipher_free(wingmirror_block_cipher *cipher) { OPENSSL_free(cipher); }

void wingmirror_block_cipher_encrypt(const wingmirror_block_cipher *cipher, const uint8_t *block, uint8_t *encrypted) {
    AES_encrypt(block, encrypted, &cipher->key);
}
