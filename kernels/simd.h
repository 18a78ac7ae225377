/* Vectors of LANES floats, for the set of instructions that the including file chose. No include guard: once for each such file. */

typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int32_t vi __attribute__((vector_size(4 * LANES)));
typedef uint32_t vu __attribute__((vector_size(4 * LANES)));

#define INLINE static inline __attribute__((always_inline))

enum { MASK_MAX = 512, GROUP = 64 /* elements that share their counters of random numbers */ };

INLINE vf
load(const float *p)
{
	vf v;

	memcpy(&v, p, sizeof(v));
	return v;
}

INLINE void
store(float *p, vf v)
{
	memcpy(p, &v, sizeof(v));
}

/* The first `left` numbers at p, zeros behind them. */
INLINE vf
load_some(const float *p, size_t left)
{
	vf v = { 0 };

	if (left >= LANES)
		return load(p);
	memcpy(&v, p, left * sizeof(float));
	return v;
}

INLINE void
store_some(float *p, vf v, size_t left)
{
	memcpy(p, &v, left < LANES ? left * sizeof(float) : sizeof(v));
}

INLINE vf
splat(float x)
{
	return x - (vf){ 0 };
}

/* Zeros past the first `left` lanes. */
INLINE vf
only(vf v, size_t left)
{
	for (size_t i = left; i < LANES; i++)
		v[i] = 0;
	return v;
}

INLINE vf
choose(vi mask, vf yes, vf no)
{
	return (vf)((mask & (vi)yes) | (~mask & (vi)no));
}

/* b where either is NaN. */
INLINE vf
larger(vf a, vf b)
{
#if LANES == 16
	return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#elif LANES == 8
	return (vf)_mm256_max_ps((__m256)a, (__m256)b);
#else
	return choose(a > b, a, b);
#endif
}

INLINE vf
root(vf x)
{
#if LANES == 16
	return (vf)_mm512_sqrt_ps((__m512)x);
#elif LANES == 8
	return (vf)_mm256_sqrt_ps((__m256)x);
#else
	for (int i = 0; i < LANES; i++)
		x[i] = sqrtf(x[i]);
	return x;
#endif
}

INLINE float
sum_of(vf v)
{
	float s[LANES];

	memcpy(s, &v, sizeof(v));
	for (int n = LANES / 2; n; n /= 2)
		for (int i = 0; i < n; i++)
			s[i] += s[i + n];
	return s[0];
}

INLINE float
max_of(vf v)
{
	float s[LANES];

	memcpy(s, &v, sizeof(v));
	for (int i = 1; i < LANES; i++)
		s[0] = s[i] > s[0] ? s[i] : s[0];
	return s[0];
}

/* e to the x, to about one unit in the last place (Cephes); 0 below -87.3, and at 88.3 it stays. NaN stays NaN. */
INLINE vf
exp_of(vf x)
{
	const float magic = 12582912.0f; /* 1.5 * 2^23: what is added to it is rounded to a whole number */
	vf low = choose(x < -87.3f, (vf){ 0 } - 87.3f, x), bounded = choose(low > 88.3f, (vf){ 0 } + 88.3f, low);
	vf shifted = bounded * 1.44269504f + magic, n = shifted - magic;
	vf r = bounded - n * 0.693359375f + n * 2.12194440e-4f;
	vf p = ((((r * 1.9875691500e-4f + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r + 4.1665795894e-2f) * r + 1.6666665459e-1f) * r +
	       5.0000001201e-1f;
	vi power = ((vi)shifted << 23) + (127 << 23);

	return choose(x < -87.3f, (vf){ 0 }, (p * r * r + r + 1) * (vf)power);
}

INLINE vf
tanh_of(vf x)
{
	return 1 - 2 / (exp_of(2 * x) + 1);
}

/* ---- random numbers ---- */

/* Low and high words of a product lane by lane. */
INLINE void
multiply(vu x, uint32_t by, vu *ret_low, vu *ret_high)
{
#if LANES == 16
	__m512i odd = _mm512_srli_epi64((__m512i)x, 32), b = _mm512_set1_epi64((long long)by);
	__m512i even = _mm512_mul_epu32((__m512i)x, b);

	odd = _mm512_mul_epu32(odd, b);
	*ret_low = (vu)_mm512_or_si512(_mm512_and_si512(even, _mm512_set1_epi64(0xFFFFFFFFLL)), _mm512_slli_epi64(odd, 32));
	*ret_high = (vu)_mm512_or_si512(_mm512_srli_epi64(even, 32), _mm512_andnot_si512(_mm512_set1_epi64(0xFFFFFFFFLL), odd));
#elif LANES == 8
	__m256i odd = _mm256_srli_epi64((__m256i)x, 32), b = _mm256_set1_epi64x((long long)by);
	__m256i even = _mm256_mul_epu32((__m256i)x, b), mask = _mm256_set1_epi64x(0xFFFFFFFFLL);

	odd = _mm256_mul_epu32(odd, b);
	*ret_low = (vu)_mm256_or_si256(_mm256_and_si256(even, mask), _mm256_slli_epi64(odd, 32));
	*ret_high = (vu)_mm256_or_si256(_mm256_srli_epi64(even, 32), _mm256_andnot_si256(mask, odd));
#else
	for (int i = 0; i < LANES; i++) {
		uint64_t product = (uint64_t)x[i] * by;

		(*ret_low)[i] = (uint32_t)product;
		(*ret_high)[i] = (uint32_t)(product >> 32);
	}
#endif
}

/* ops_philox for LANES counters that follow each other. */
INLINE void
philox(uint64_t first, uint32_t site, uint64_t step, uint64_t seed, vu ret[4])
{
	vu x0 = { 0 }, x1 = (vu){ 0 } + (uint32_t)(first >> 32), x2 = (vu){ 0 } + site, x3 = (vu){ 0 } + (uint32_t)step;
	uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);

	/* first is a multiple of LANES: no carry. */
	for (int i = 0; i < LANES; i++)
		x0[i] = (uint32_t)first + (uint32_t)i;
	for (int i = 0; i < 10; i++) {
		vu low0, high0, low2, high2;

		multiply(x0, 0xD2511F53u, &low0, &high0);
		multiply(x2, 0xCD9E8D57u, &low2, &high2);
		x0 = high2 ^ x1 ^ k0;
		x1 = low2;
		x2 = high0 ^ x3 ^ k1;
		x3 = low0;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	ret[0] = x0;
	ret[1] = x1;
	ret[2] = x2;
	ret[3] = x3;
}

struct mask {
	float factors[MASK_MAX + 2 * GROUP];
};

/* What elements e to e + n - 1 are multiplied with, n at most MASK_MAX: a pointer into *mask. */
static const float *
mask_of(struct mask *mask, const struct ops_dropout *dropout, uint64_t e, size_t n)
{
	uint64_t seed = dropout->step->seed, step = dropout->step->step, first = e / GROUP;
	vu below = (vu){ 0 } + ops_dropped_below(dropout->rate);
	vf keep = splat((float)(1 / (1 - dropout->rate)));
	size_t skip = (size_t)(e % GROUP);

	for (size_t group = 0; group * GROUP < skip + n; group++)
		for (size_t part = 0; part < 16; part += LANES) {
			vu words[4];

			philox((first + group) * 16 + part, dropout->site, step, seed, words);
			for (size_t w = 0; w < 4; w++)
				store(mask->factors + group * GROUP + w * 16 + part, (vf)((vi)(words[w] >= below) & (vi)keep));
		}
	return mask->factors + skip;
}
