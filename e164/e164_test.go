package e164

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about, raw, region string
		want               Number
	}{
		{"national as written", "0231 500123", "DE", "+49231500123"},
		{"national as keyed", "0231500123", "DE", "+49231500123"},
		{"national with a slash", "0231/500123", "DE", "+49231500123"},
		{"national with brackets", "(0231) 50-01-23", "DE", "+49231500123"},
		{"national mobile", "0171 1234567", "DE", "+491711234567"},
		{"spaces around it", "  0231500123\r\n", "DE", "+49231500123"},
		{"international prefix", "0049231500123", "DE", "+49231500123"},
		{"plus sign", "+49231500123", "DE", "+49231500123"},
		{"plus sign and a trunk zero", "+49 (0) 231 500123", "DE", "+49231500123"},
		{"plus left away by the trunk", "49231500123", "DE", "+49231500123"},
		{"mobile, plus left away", "4915112345678", "DE", "+4915112345678"},
		{"foreign, plus left away", "447911123456", "DE", "+447911123456"},
		{"foreign, plus left away, valid as German too", "33123456789", "DE", "+33123456789"},
		{"German with neither zero nor country code", "23150012345", "DE", "+4923150012345"},
		{"foreign with plus", "+33 1 23 45 67 89", "DE", "+33123456789"},
		{"foreign with prefix", "0033123456789", "DE", "+33123456789"},
		{"Italy keeps its zero", "+390612345678", "DE", "+390612345678"},
		{"North America", "+12125551234", "DE", "+12125551234"},
		{"national in North America", "2125551234", "US", "+12125551234"},
		{"North America, plus left away", "12125551234", "US", "+12125551234"},
		{"German seen from Austria", "0049231500123", "AT", "+49231500123"},
		{"German, plus left away, seen from Austria", "49231500123", "AT", "+49231500123"},
	} {
		t.Run(c.about, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(c.raw, c.region)
			if err != nil || got != c.want {
				t.Errorf("Parse(%q, %s) = %q, %v; want %q", c.raw, c.region, got, err, c.want)
			}
		})
	}
}

func TestParseWithheld(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "  ", "anonymous", "Anonymous", "Restricted", "unknown", "UNAVAILABLE", "private", "withheld", "asterisk"} {
		if got, err := Parse(raw, "DE"); err != nil || got != Withheld {
			t.Errorf("Parse(%q) = %q, %v; want it withheld", raw, got, err)
		}
	}
}

// TestParseInvalid has the short numbers in it: nobody rings from them, and
// ringing them back would reach the emergency services.
func TestParseInvalid(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"110", "112", "115", "19222", "116117", "0116117", "+49116117", "49116117",
		"0", "00", "+", "++49231500123", "49+231500123", "500123",
		"sip:0231500123", "tel:+49231500123", "0231500123;ext=5", "+49231500123 ext. 5",
		"1-800-FLOWERS", "anonymous1", "abc0231500123xyz", "*31#0231500123", "0231500123#",
		"+٤٩٢٣١٥٠٠١٢٣", "+49\x00231500123", "\xff\xfe", "0231 500123 0231 500123",
		"+4923150012345678", strings.Repeat("0", 8192), strings.Repeat("49231500123", 745),
		"+" + strings.Repeat("1", 8192),
	} {
		got, err := Parse(raw, "DE")
		if !errors.Is(err, ErrInvalid) || got != Withheld {
			t.Errorf("Parse(%.40q) = %q, %v; want ErrInvalid", raw, got, err)
		}
		if err != nil && len(raw) > 6 && strings.Contains(err.Error(), raw) {
			t.Errorf("the error of %.40q tells the number: %v", raw, err)
		}
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n                             Number
		national, fromGermany, masked string
	}{
		{"+4923150012345", "023150012345", "023150012345", "••••••••••••45"},
		{"+491711234567", "01711234567", "01711234567", "•••••••••••67"},
		{"+33123456789", "0123456789", "0033123456789", "••••••••••89"},
		{"+390612345678", "0612345678", "00390612345678", "•••••••••••78"},
		{"+12125551234", "2125551234", "0012125551234", "••••••••••34"},
		{Withheld, "", "", "withheld"},
		{"+4", "4", "4", "••"},
		{"+49", "49", "49", "•49"},
	} {
		if got := c.n.National(); got != c.national {
			t.Errorf("%q.National() = %q, want %q", c.n, got, c.national)
		}
		if got := c.n.DialledFrom("DE"); got != c.fromGermany {
			t.Errorf("%q.DialledFrom(DE) = %q, want %q", c.n, got, c.fromGermany)
		}
		if got := c.n.Masked(); got != c.masked {
			t.Errorf("%q.Masked() = %q, want %q", c.n, got, c.masked)
		}
	}
}

// FuzzParse: whatever a network signals, the answer is a number in its one
// form, withheld, or ErrInvalid.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"0231 500123", "0049231500123", "+49 (0) 231/500-123", "49231500123", "anonymous", "112", "", "+٤٩", "00x", "tel:+49231500123;ext=1"} {
		f.Add(s, "DE")
		f.Add(s, "US")
	}
	f.Fuzz(func(t *testing.T, raw, region string) {
		n, err := Parse(raw, region)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || n != Withheld {
				t.Fatalf("Parse(%q, %q) = %q, %v", raw, region, n, err)
			}
			return
		}
		if n == Withheld {
			return
		}
		// ITU-T E.164 section 6.2.1: at most 15 digits with the country code.
		if digits, plus := strings.CutPrefix(string(n), "+"); !plus || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" {
			t.Fatalf("Parse(%q, %q) = %q, not in E.164 form", raw, region, n)
		}
		if again, err := Parse(string(n), region); err != nil || again != n {
			t.Fatalf("Parse(%q) = %q, %v; want the same number", n, again, err)
		}
		if n.National() == "" || n.DialledFrom("DE") == "" {
			t.Fatalf("%q cannot be dialled", n)
		}
		if shown := n.Masked(); !strings.HasSuffix(string(n), strings.Trim(shown, "•")) || len(strings.Trim(shown, "•")) > 2 {
			t.Fatalf("%q.Masked() = %q shows too much", n, shown)
		}
	})
}
