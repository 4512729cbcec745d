-- Threads of GHC's threaded runtime that wait, and a few that work: healthy.
import Control.Concurrent
import Control.Monad

main :: IO ()
main = do
  done <- newEmptyMVar
  forM_ [1 .. 4 :: Int] $ \i -> forkIO $ do
    forM_ [1 .. 40 :: Int] $ \j -> threadDelay (if j `mod` 20 == 0 then 300000 else 10000 * i)
    putMVar done ()
  forM_ [1 .. 4 :: Int] $ \_ -> takeMVar done
