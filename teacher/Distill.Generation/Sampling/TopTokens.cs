using System.Numerics.Tensors;

namespace Distill.Generation;

/// <summary>The k most probable tokens of a distribution, most probable first, ties to the lower id. One instance per thread.</summary>
internal sealed class TopTokens
{
    // Whole blocks below the smallest token kept so far are passed over with one vectorised maximum.
    private const int Block = 128;

    // Inserting costs k moves a token: beyond this many, sorting all of them costs less.
    private const int MostInserted = 128;

    private float[] values = [];
    private int[] ids = [];
    private ulong[] keys = [];

    /// <summary>Ids of the last <see cref="Select"/>, best first.</summary>
    public ReadOnlySpan<int> Ids(int count) => ids.AsSpan(0, count);

    /// <param name="scores">[vocab]</param>
    /// <returns>How many: k, or the vocabulary when that is smaller.</returns>
    public int Select(ReadOnlySpan<float> scores, int k)
    {
        k = Math.Min(k, scores.Length);
        if (k == 0) return 0;
        if (values.Length < k) (values, ids) = (new float[k], new int[k]);
        return k > MostInserted ? Sort(scores, k) : Insert(scores, k);
    }

    private int Insert(ReadOnlySpan<float> scores, int k)
    {
        int count = 0;
        for (int start = 0; start < scores.Length; start += Block)
        {
            ReadOnlySpan<float> block = scores.Slice(start, Math.Min(Block, scores.Length - start));
            if (count == k && !(TensorPrimitives.Max(block) > values[k - 1])) continue;
            for (int i = 0; i < block.Length; i++)
            {
                if (count < k || block[i] > values[k - 1]) Insert(block[i], start + i, ref count, k);
            }
        }

        return count;
    }

    private void Insert(float value, int id, ref int count, int k)
    {
        int place = count < k ? count++ : k - 1;
        for (; place > 0 && values[place - 1] < value; place--) (values[place], ids[place]) = (values[place - 1], ids[place - 1]);
        (values[place], ids[place]) = (value, id);
    }

    private int Sort(ReadOnlySpan<float> scores, int k)
    {
        if (keys.Length < scores.Length) keys = new ulong[scores.Length];
        for (int id = 0; id < scores.Length; id++) keys[id] = ((ulong)Descending(scores[id]) << 32) | (uint)id;
        Array.Sort(keys, 0, scores.Length);
        for (int rank = 0; rank < k; rank++) ids[rank] = (int)(uint)keys[rank];
        return k;
    }

    // A number that falls as the value rises: bits of floats ascend with their values where these are positive, and descend elsewhere.
    private static uint Descending(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value + 0f); // −0 equals 0
        return (bits & 0x8000_0000) == 0 ? 0x7FFF_FFFF - bits : bits;
    }
}
