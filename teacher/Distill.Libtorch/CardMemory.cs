using System.Runtime.InteropServices;
using Distill.Generation;

namespace Distill.Libtorch;

/// <summary>Memory of a card, as the driver says it. Needs no libtorch; safe from any thread.</summary>
internal static class CardMemory
{
    /// <returns>Bytes of the first card; null without a driver or a card.</returns>
    public static unsafe long? Total()
    {
        if (!NativeLibrary.TryLoad(CudaLibraries.Driver, out nint driver)) return null;
        var start = (delegate* unmanaged<uint, int>)NativeLibrary.GetExport(driver, "cuInit");
        var find = (delegate* unmanaged<int*, int, int>)NativeLibrary.GetExport(driver, "cuDeviceGet");
        var ask = (delegate* unmanaged<nuint*, int, int>)NativeLibrary.GetExport(driver, "cuDeviceTotalMem_v2");
        int card = 0;
        nuint bytes = 0;
        return start(0) == 0 && find(&card, 0) == 0 && ask(&bytes, card) == 0 ? (long)bytes : null;
    }
}
