// Package cobblestone is C2SP chunked encryption in the instantiation
// Cobblestone-256 (SHA-512, AES-256-GCM), at the revision that docs/seal.md, "Body",
// pins and quotes. It encrypts a message of any length in chunks of 16 KiB, each of
// which is authenticated before it is used; key, context, order and end of the
// message are authenticated with them, and a key opens one content only.
//
// A writer makes its own random salt. None can be continued and no salt can be
// chosen, so that no nonce ever stands under a key twice.
package cobblestone

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
)

// Sizes in bytes.
const (
	KeySize        = 32
	SaltSize       = 24
	CommitmentSize = 32
	ChunkSize      = 16384 // of plaintext; the last chunk is shorter, perhaps empty
	TagSize        = 16
	Overhead       = SaltSize + CommitmentSize // before the first chunk

	nonceSize   = 12
	sealedChunk = ChunkSize + TagSize
	maxChunks   = 1 << 38
	prefix      = "c2sp.org/chunked-encryption@v1+" + "AEAD_AES_256_GCM" + "\x00"
)

// Why a message does not open.
var (
	ErrTruncated  = errors.New("the message ends in the middle")
	ErrCommitment = errors.New("the key and context are not the message's")
	ErrChunk      = errors.New("a chunk does not authenticate")
)

// SealedSize is the size of a message whose content has n bytes.
func SealedSize(n uint64) uint64 { return Overhead + n + TagSize*(n/ChunkSize+1) }

// ContentSize is the inverse of [SealedSize]. A size that no message has is
// [ErrTruncated].
func ContentSize(n uint64) (uint64, error) {
	if n < Overhead+TagSize {
		return 0, fmt.Errorf("%w: %d bytes", ErrTruncated, n)
	}
	full, last := (n-Overhead)/sealedChunk, (n-Overhead)%sealedChunk
	if last < TagSize {
		return 0, fmt.Errorf("%w: the last chunk has %d bytes", ErrTruncated, last)
	}
	return full*ChunkSize + last - TagSize, nil
}

// chunks encrypts and decrypts the chunks of one message.
type chunks struct {
	aead  cipher.AEAD
	base  [nonceSize]byte
	nonce [nonceSize]byte
}

// derive makes what the message under key, salt and context needs: the cipher for
// its chunks and the commitment.
func derive(key, salt, context []byte) (*chunks, []byte, error) {
	if len(key) != KeySize {
		return nil, nil, fmt.Errorf("key of %d bytes, want %d", len(key), KeySize)
	}
	info := prefix + string(salt) + string(context)
	out, err := hkdf.Expand(sha512.New, key, info, KeySize+nonceSize+CommitmentSize)
	if err != nil {
		return nil, nil, fmt.Errorf("derive chunk key: %w", err)
	}
	block, err := aes.NewCipher(out[:KeySize])
	if err != nil {
		return nil, nil, fmt.Errorf("derive chunk key: %w", err)
	}
	c := new(chunks)
	if c.aead, err = cipher.NewGCM(block); err != nil {
		return nil, nil, fmt.Errorf("derive chunk key: %w", err)
	}
	copy(c.base[:], out[KeySize:])
	return c, out[KeySize+nonceSize:], nil
}

func newChunks(key, context []byte) (c *chunks, start []byte, err error) {
	salt := make([]byte, SaltSize, Overhead)
	rand.Read(salt) // never fails: it ends the process instead
	c, commitment, err := derive(key, salt, context)
	return c, append(salt, commitment...), err
}

// openChunks compares the commitment before anything is decrypted.
func openChunks(start, key, context []byte) (*chunks, error) {
	c, commitment, err := derive(key, start[:SaltSize], context)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(commitment, start[SaltSize:]) != 1 {
		return nil, ErrCommitment
	}
	return c, nil
}

// at returns the nonce of chunk i, good until the next call.
func (c *chunks) at(i uint64) []byte {
	c.nonce = c.base
	low := c.nonce[nonceSize-8:]
	binary.BigEndian.PutUint64(low, binary.BigEndian.Uint64(low)^i)
	return c.nonce[:]
}

// seal appends chunk i to dst.
func (c *chunks) seal(dst []byte, i uint64, content []byte) []byte {
	return c.aead.Seal(dst, c.at(i), content, nil)
}

// open appends the content of chunk i to dst.
func (c *chunks) open(dst []byte, i uint64, sealed []byte) ([]byte, error) {
	out, err := c.aead.Open(dst, c.at(i), sealed, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: chunk %d", ErrChunk, i)
	}
	return out, nil
}

// Seal returns the message of content under key, which must never have sealed another.
func Seal(key, context, content []byte) ([]byte, error) {
	c, start, err := newChunks(key, context)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, SealedSize(uint64(len(content)))), start...)
	i := uint64(0)
	for ; len(content) >= ChunkSize; i++ {
		out = c.seal(out, i, content[:ChunkSize])
		content = content[ChunkSize:]
	}
	return c.seal(out, i, content), nil
}

// Open returns the content of a message.
func Open(key, context, message []byte) ([]byte, error) {
	size, err := ContentSize(uint64(len(message)))
	if err != nil {
		return nil, err
	}
	c, err := openChunks(message[:Overhead], key, context)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, size)
	rest := message[Overhead:]
	for i := uint64(0); ; i++ {
		n := min(len(rest), sealedChunk)
		if out, err = c.open(out, i, rest[:n]); err != nil {
			return nil, err
		}
		if rest = rest[n:]; n < sealedChunk {
			return out, nil
		}
	}
}
