package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const keyScheme = "key"

// requireKey lets in who sends one of the keys as a bearer token (RFC 6750),
// and remembers by which.
func requireKey(api huma.API, keys []string) func(huma.Context, func(huma.Context)) {
	known := make([][sha256.Size]byte, len(keys))
	for i, k := range keys {
		known[i] = sha256.Sum256([]byte(k))
	}
	return func(ctx huma.Context, next func(huma.Context)) {
		if key, ok := bearer(ctx.Header("Authorization"), known); ok {
			next(huma.WithValue(ctx, keyUsed{}, key))
			return
		}
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="ringback"`)
		_ = huma.WriteErr(api, ctx, http.StatusUnauthorized,
			"a key is needed: send the header \"Authorization: Bearer …\" with one of the keys in api.keys of the configuration")
	}
}

// bearer is the digest of the key that the header holds. It compares digests,
// all of them, so that the time it takes tells nothing of a key or its length.
func bearer(header string, known [][sha256.Size]byte) (sum [sha256.Size]byte, ok bool) {
	scheme, token, found := strings.Cut(header, " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return sum, false
	}
	sum = sha256.Sum256([]byte(strings.TrimSpace(token)))
	match := 0
	for i := range known {
		match |= subtle.ConstantTimeCompare(sum[:], known[i][:])
	}
	return sum, match == 1
}

// keyUsed is where a request's context holds the digest of its key.
type keyUsed struct{}

// fingerprint names the key of a request without telling it: the first eight
// digits of its SHA-256, as sha256sum writes it.
func fingerprint(ctx context.Context) string {
	sum, _ := ctx.Value(keyUsed{}).([sha256.Size]byte)
	return hex.EncodeToString(sum[:4])
}

// signed is who the audit says has done something: the person a client names,
// if it does, and always the key.
func signed(ctx context.Context, by string) string {
	key := "API key " + fingerprint(ctx)
	if by == "" {
		return key
	}
	return by + " (" + key + ")"
}
