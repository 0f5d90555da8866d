using TorchSharp;
using static TorchSharp.torch;

namespace Distill.GpuCheck.Parts;

/// <summary>What a device gives at best, by torch's own kernels: the roofs that figures are held against.</summary>
internal static class DeviceRates
{
    private const int Rounds = 5;

    /// <summary>Bytes a second of reading blocks larger than any cache: the sum of a vector.</summary>
    public static double Reading(CheckContext context, Device device)
    {
        long count = context.IsSmall ? 1 << 22 : 1L << 28;
        using var block = ones([count], ScalarType.Float32, device);
        return count * sizeof(float) / Fastest(context, device, () => block.sum().Dispose());
    }

    /// <summary>
    /// Floating-point operations a second of a product of square bf16 matrices of random numbers: with ones or zeros a card is faster,
    /// because it takes less power.
    /// </summary>
    public static double Products(CheckContext context, Device device)
    {
        long size = context.IsSmall ? 256 : 8192;
        using var left = randn([size, size], ScalarType.BFloat16, device);
        using var right = randn([size, size], ScalarType.BFloat16, device);
        return 2.0 * size * size * size / Fastest(context, device, () => left.matmul(right).Dispose());
    }

    /// <summary>Waits until everything that was asked of the device is done.</summary>
    public static void Wait(Device device)
    {
        if (device.type == DeviceType.CUDA) cuda.synchronize(device);
    }

    private static double Fastest(CheckContext context, Device device, Action work)
    {
        double best = double.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            best = Math.Min(best, context.Seconds(() =>
            {
                work();
                Wait(device);
            }));
        }

        return best;
    }
}
